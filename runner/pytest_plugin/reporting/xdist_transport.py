"""Attaches the run of a test to its last report, so that it gets from a worker of pytest-xdist to the controller."""

from collections.abc import Generator
from typing import Any

import pytest
from msgspec.structs import replace

from runner.pytest_plugin.item_run import RUN
from runner.pytest_plugin.reporting.saved_files import find_saved_files
from runner.pytest_plugin.reporting.summary import ATTRIBUTE
from runner.pytest_plugin.session import PROJECT
from runner.redaction.document_forms import MESSAGE
from runner.untrusted_text import encode_json


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the run, redacted, once pytest-playwright has saved its artifacts."""
    report = yield
    run = item.stash.get(RUN, None)
    if call.when != "teardown" or run is None or run.skipped or (not run.observed and run.failure is None):
        return report
    folder, artifacts = find_saved_files(report.user_properties, item.config.invocation_params.dir)
    result = replace(run.result(), artifacts=artifacts)
    reported: dict[str, Any] = {"result": result, "folder": str(folder) if folder else None, "journey": run.journey is not None}
    setattr(report, ATTRIBUTE, item.config.stash[PROJECT].redactor.json(encode_json(reported), MESSAGE).decode())
    return report
