"""The functions of a run's CPU profiles on its page: in the original code, where a map of the run's release explains them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from reports.source_maps.map_store import MapAbout, MapStore
from reports.web.routes import page_routes
from reports.web.site import Site
from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.result import RunResult, StepResult
from runner.store import Store
from tests.reports.source_maps.built import make_map
from tests.support.needs import needs
from tests.support.reader import serving

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def busy(function: str, url: str, column: int) -> dict[str, Any]:
    return {"function": function, "url": url, "line": 1, "column": column, "self_seconds": 0.2, "total_seconds": 0.3}


def profiled(release: str) -> RunResult:
    functions = [
        busy("a", "https://shop.example/assets/app.js", 9),
        busy("b", "https://ads.example/x.js", 9),
        busy("(program)", "", 0),
    ]
    step = StepResult(
        name="open",
        index=0,
        status="passed",
        started_at=NOW,
        latency_seconds=0.3,
        wall_seconds=0.4,
        clock="page",
        signals={"cpu_profile": {"busy_seconds": 0.6, "functions": functions}},
    )
    return RunResult(
        id=run_id(),
        journey="buy",
        status="passed",
        started_at=NOW,
        ended_at=NOW + timedelta(seconds=1),
        duration_seconds=1.0,
        location="local",
        steps=(step,),
        release=release,
    )


@pytest.mark.parametrize(
    ("release", "first"),
    [
        ("7", "a src/pay.ts:3 (https://shop.example/assets/app.js:1)"),
        ("8", "a https://shop.example/assets/app.js:1"),
    ],
)
@needs("real_time")
def test_functions_are_shown_in_the_original_code_of_the_run_s_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str, first: str
) -> None:
    # A busy machine takes longer over the process that reads the map.
    monkeypatch.setattr("reports.web.view_models.profiles.WITHIN", 60.0)
    archive = Archive(tmp_path / "runs")
    with Store(f"sqlite:///{tmp_path}/journeys.db") as store:
        maps = MapStore(store, tmp_path / "maps")
        maps.put(
            MapAbout(release="7", script="assets/app.js"), make_map([(1, "webpack://shop/./src/pay.ts", 3, "")]), "ada", 1.0
        )
        result = profiled(release)
        store.add(result, archive.save(result, archive.scratch(result.id)))
        with serving(page_routes(Site(store=store, archive=archive, maps=maps))) as address:
            page = urlopen(f"{address}/runs/{result.id}", timeout=120).read().decode()
    for line in (first, "b https://ads.example/x.js:1", "(program)"):
        assert f"0.200 s, 0.300 s in all: {line}</p>" in page
