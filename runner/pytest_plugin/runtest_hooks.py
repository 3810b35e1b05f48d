"""Runs journeys and tests with steps: checks before, the call, the end. Registered by `activate`."""

from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from runner.artifacts.expected_picture import use_pictures
from runner.dsl.project_imports import enter_folder
from runner.errors import SecretMissing
from runner.pytest_plugin.check_call import call_check_item
from runner.pytest_plugin.item_run import RUN, fail_test, get_run
from runner.pytest_plugin.pictures import make_store
from runner.pytest_plugin.redact_screenshots import PICTURES
from runner.pytest_plugin.session import JOURNEY, PROJECT
from runner.result import Failure
from runner.workers.stdout import print_redacted


class OverBudget(pytest.PytestWarning):
    """A step exceeded its budget, and `--journey-budgets=warn` is given."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begins an attempt. Fails a journey whose secrets are not set, before a browser is started."""
    project = item.config.stash[PROJECT]
    project.observed_item = None
    if not isinstance(item, pytest.Function) or not (JOURNEY in item.stash or RUN in item.stash):
        return
    again = RUN in item.stash
    run = get_run(item)
    if again:
        run.begin()
    if run.journey is None:
        return
    problems = []
    for name in run.journey.secret_names:
        try:
            _ = project.secrets[name]
        except SecretMissing as error:
            problems.append(f"{run.journey.where}: {run.name}: {error}")
    if problems:
        fail_test(run, Failure(kind="journey", message="\n".join(problems)))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Calls a journey and redacts what it prints."""
    if JOURNEY not in pyfuncitem.stash:
        return None
    run = get_run(pyfuncitem)
    if run.journey is not None:
        enter_folder(run.journey.file.parent)
    with print_redacted(run.project.redactor):
        if run.journey is not None and run.journey.kind == "check":
            call_check_item(run, pyfuncitem.funcargs.get("base_url"))
            return True
        page: Any = pyfuncitem.funcargs.get("page")
        run.call(page)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Ends the attempt while its pages are still open; then a failed soft step or a missed budget fails the test."""
    pictures: AbstractContextManager[None] = nullcontext()
    if RUN in item.stash:
        item.stash[RUN].start()
        pictures = use_pictures(make_store(item, item.stash[RUN]))
    try:
        with pictures:
            result = yield
    finally:
        if PICTURES in item.stash:
            item.stash[PICTURES].check_pages()
        if RUN in item.stash:
            item.stash[RUN].end()
    run = item.stash.get(RUN, None)
    if run is not None and run.journey_call is not None:
        steps = run.journey_call.steps
        # A test may expect a step to fail; a journey that swallows it has failed.
        failure = (steps.fatal if run.journey else None) or steps.soft_failure
        if failure is not None:
            fail_test(run, failure)
    if run is not None and run.observed:
        _hold_budgets(item)
    return result


def _hold_budgets(item: pytest.Item) -> None:
    over, wanted = item.stash[RUN].over_budget, item.config.getoption("journey_budgets")
    if over and wanted == "fail":
        item.stash[RUN].missed_budget = True
        pytest.fail("\n".join(over), pytrace=False)
    if over and wanted == "warn":
        item.warn(OverBudget("; ".join(over)))


def pytest_enter_pdb(config: pytest.Config) -> None:
    """Lifts the deadline while a journey is in the debugger."""
    end = config.stash[PROJECT].deadline
    if end is not None:
        end.lift()
