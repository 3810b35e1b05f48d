"""Runs that somebody has asked for, apart from those of the schedule in what is sent."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.archive.run_id import run_id
from runner.events import RunEnded
from runner.result import Trigger
from runner.settings.load_settings import load_settings
from runner.telemetry.spans import build_spans
from runner.telemetry.telemetry import Telemetry
from tests.runner.store.test_store import result
from tests.support.services.servers import free_port


@pytest.mark.parametrize(("trigger", "counted"), [("schedule", 1), ("", 1), ("demand", 0), ("confirm", 0), ("smoke", 0)])
def test_metrics_that_are_sent_are_about_the_schedule(tmp_path: Path, trigger: Trigger, counted: int) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/api/v1/write"
    telemetry = Telemetry(load_settings(tmp_path, {"runs_dir": tmp_path / "runs", "remote_write": nobody}, {}), "schedule")
    run = replace(result("buy", run_id()), trigger=trigger)
    telemetry(RunEnded(result=run))
    assert telemetry.waiting == counted
    telemetry.stop(0.0)
    found = [dict(one.attributes).get("journey.trigger") for one in build_spans(run)]
    assert [one for one in found if one] == ([] if counted else [trigger])
