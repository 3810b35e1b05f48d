"""Where the busiest functions of a check are in the original code: by the source maps that were uploaded for the release."""

from msgspec.structs import replace

from reports.smoke.result import JourneyCheck, ProfiledFunction, SmokeResult
from reports.source_maps.frames import clean_path
from reports.source_maps.map_store import MapStore, StoredMap, maps_folder
from reports.source_maps.matching import choose_map
from reports.source_maps.resolver import Lookup, is_installed, look_up
from runner.settings.settings import Settings
from runner.store import Store, StoreDown

Place = tuple[str, int, int]
"""A script's address, line and column."""


def add_original_places(result: SmokeResult, settings: Settings) -> SmokeResult:
    """The same result; its functions have a `source` where a map explains them. Without a release or its maps they have none."""
    functions = [one for check in result.journeys for step in check.steps for one in step.profile if one.url]
    if not functions or not settings.release or not is_installed():
        return result
    try:
        with Store(settings.database_url) as store:
            maps = MapStore(store, maps_folder(settings))
            sources = _look_up(functions, maps, list(maps.list(settings.release)))
    except (StoreDown, OSError) as error:
        note = f"the original code of functions is not shown, as source maps cannot be read: {error}"
        return replace(result, notes=(*result.notes, note))
    return replace(result, journeys=tuple(_add(check, sources) for check in result.journeys))


def _look_up(functions: list[ProfiledFunction], store: MapStore, maps: list[StoredMap]) -> dict[Place, str]:
    by_map: dict[str, list[Place]] = {}
    for one in functions:
        chosen = choose_map(one.url, maps)
        if chosen is not None:
            by_map.setdefault(chosen.checksum, []).append((one.url, one.line, one.column))
    places = {checksum: list(dict.fromkeys(wanted)) for checksum, wanted in by_map.items()}
    lookups = [
        Lookup(str(store.file(checksum)), tuple((line, column) for _, line, column in wanted))
        for checksum, wanted in places.items()
    ]
    return {
        place: f"{clean_path(original.source)}:{original.line}"
        for wanted, resolved in zip(places.values(), look_up(lookups), strict=True)
        for place, original in zip(wanted, resolved.places, strict=True)
        if original is not None
    }


def _add(check: JourneyCheck, sources: dict[Place, str]) -> JourneyCheck:
    steps = tuple(
        replace(
            step,
            profile=tuple(replace(one, source=sources.get((one.url, one.line, one.column), "")) for one in step.profile),
        )
        for step in check.steps
    )
    return replace(check, steps=steps)
