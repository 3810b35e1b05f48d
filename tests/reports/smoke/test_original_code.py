"""The busiest functions of a profile, in the original code."""

from datetime import UTC, datetime
from pathlib import Path

from reports.compare import Rule
from reports.formats.html.smoke import smoke_html
from reports.smoke.original_code import add_original_places
from reports.smoke.result import JourneyCheck, ProfiledFunction, SmokeResult, StepCheck
from reports.source_maps.map_store import MapAbout, MapStore, maps_folder
from runner.settings.settings import Settings
from runner.store import Store
from tests.reports.source_maps.built import make_map
from tests.support.needs import needs

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def checked(*functions: ProfiledFunction) -> SmokeResult:
    step = StepCheck(name="open", profile=functions)
    journey = JourneyCheck(name="buy", verdict="passed", steps=(step,))
    return SmokeResult(
        id="1",
        verdict="passed",
        started_at=NOW,
        ended_at=NOW,
        base_url=None,
        location="x",
        rule=Rule(),
        warm_up=0,
        journeys=(journey,),
    )


def busy(url: str, column: int) -> ProfiledFunction:
    return ProfiledFunction(function="a", url=url, line=1, column=column, self_seconds=0.2, total_seconds=0.3)


@needs("real_time")
def add(result: SmokeResult, settings: Settings) -> SmokeResult:
    return add_original_places(result, settings)


def test_functions_have_the_place_that_the_map_of_the_release_says(tmp_path: Path) -> None:
    settings = Settings(runs_dir=tmp_path, release="7")
    with Store(settings.database_url) as store:
        built = make_map([(1, "webpack://shop/./src/pay.ts", 3, ""), (50, "webpack://shop/./src/price.ts", 1, "")])
        MapStore(store, maps_folder(settings)).put(MapAbout(release="7", script="assets/app.js"), built, "ada", 1.0)
    before = checked(
        busy("https://shop.example/assets/app.js", 9),
        busy("https://shop.example/assets/app.js", 60),
        busy("https://ads.example/x.js", 9),
    )
    found = add(before, settings).journeys[0].steps[0].profile
    assert [one.source for one in found] == ["src/pay.ts:3", "src/price.ts:1", ""]
    assert "src/price.ts:1" in smoke_html(add(before, settings)).decode()
    # Another release has no maps.
    other = Settings(runs_dir=tmp_path, release="8")
    assert {one.source for one in add(before, other).journeys[0].steps[0].profile} == {""}
