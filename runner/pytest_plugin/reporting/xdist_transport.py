"""Attaches the run of a test to its last report, so that it gets from a worker of pytest-xdist to the controller."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runner.pytest_plugin.item_run import RUN
from runner.pytest_plugin.reporting.summary import ATTRIBUTE
from runner.pytest_plugin.session import PROJECT
from runner.redaction.document_forms import MESSAGE
from runner.result import Artifact
from runner.untrusted_text import encode_json

KINDS = ("trace", "screenshot", "video")
"""Kinds of files that pytest-playwright saves; it names each in a property `playwright_<kind>`."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the run, redacted, once pytest-playwright has saved its artifacts."""
    report = yield
    run = item.stash.get(RUN, None)
    if call.when != "teardown" or run is None or run.skipped or (not run.observed and run.failure is None):
        return report
    folder, artifacts = _saved(report.user_properties, item.config.invocation_params.dir)
    result = replace(run.result(), artifacts=artifacts)
    reported: dict[str, Any] = {"result": result, "folder": str(folder) if folder else None, "journey": run.journey is not None}
    setattr(report, ATTRIBUTE, item.config.stash[PROJECT].redactor.json(encode_json(reported), MESSAGE).decode())
    return report


def _saved(properties: list[tuple[str, object]], start: Path) -> tuple[Path | None, tuple[Artifact, ...]]:
    """The folder of a test's artifacts, and the artifacts."""
    files = [(kind, start / str(path)) for kind in KINDS for name, path in properties if name == f"playwright_{kind}"]
    if not files:
        return None, ()
    found = tuple(Artifact(kind=kind, path=file.name, bytes=file.stat().st_size) for kind, file in files if file.is_file())
    return files[0][1].parent, found
