"""Where the busiest functions of a check are in the original code: by the source maps that were uploaded for the release."""

from msgspec.structs import replace

from reports.smoke.result import JourneyCheck, SmokeResult
from reports.source_maps.map_store import MapStore, maps_folder
from reports.source_maps.resolver import is_installed
from reports.source_maps.script_places import Place, find_originals
from runner.settings.settings import Settings
from runner.store import Store, StoreDown


def add_original_places(result: SmokeResult, settings: Settings) -> SmokeResult:
    """The same result; its functions have a `source` where a map explains them. Without a release or its maps they have none."""
    functions = [one for check in result.journeys for step in check.steps for one in step.profile if one.url]
    if not functions or not settings.release or not is_installed():
        return result
    try:
        with Store(settings.database_url) as store:
            places = [(one.url, one.line, one.column) for one in functions]
            sources = find_originals(places, settings.release, MapStore(store, maps_folder(settings)))
    except (StoreDown, OSError) as error:
        note = f"the original code of functions is not shown, as source maps cannot be read: {error}"
        return replace(result, notes=(*result.notes, note))
    return replace(result, journeys=tuple(_add(check, sources) for check in result.journeys))


def _add(check: JourneyCheck, sources: dict[Place, str]) -> JourneyCheck:
    steps = tuple(
        replace(
            step,
            profile=tuple(replace(one, source=sources.get((one.url, one.line, one.column), "")) for one in step.profile),
        )
        for step in check.steps
    )
    return replace(check, steps=steps)
