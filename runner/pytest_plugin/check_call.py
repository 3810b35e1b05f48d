"""A check under pytest: called in the process of the test, without a browser."""

import math
from typing import Any

from msgspec.structs import replace

from runner.browser.deadline import DeadlineReached
from runner.checks.environment import describe_check_environment
from runner.checks.failures import explain_error
from runner.checks.run import call_check, check_options
from runner.checks.steps import CheckSteps
from runner.checks.time_limit import CheckTimeout, TimeLimit
from runner.dsl.plan import plan
from runner.execution.journey_call import limit_time
from runner.pytest_plugin.item_run import ItemRun, fail_test
from runner.result import Failure

AFTER = 1.0
"""Seconds after the timeout in which a wait for a server ends by itself, before an alarm ends the check's own code."""
FOREVER = 1e6


def call_check_item(run: ItemRun, base_url: Any) -> None:
    """Calls the check of a test, with its timeout except in a debugger. Fails the test as `journey run` would judge it."""
    assert run.journey is not None
    planned = run.plan = plan(run.journey, run.project.settings_at(base_url))
    seconds = FOREVER if run.project.is_debugged else planned.timeout
    steps = CheckSteps(str(planned.file), TimeLimit(seconds), check_options(planned))
    failure: Failure | None = None
    try:
        with limit_time(None, math.inf if run.project.is_debugged else seconds + AFTER) as run.project.deadline:
            call_check(run.journey, planned, run.project.secrets, steps)
    except DeadlineReached as error:
        failure = steps.fatal or explain_error(CheckTimeout().with_traceback(error.__traceback__), str(planned.file), seconds)
    except Exception as error:  # noqa: BLE001 (a check may raise anything; all of it is reported)
        failure = steps.fatal or explain_error(error, str(planned.file), seconds)
    finally:
        run.set_results(steps.results(planned.step_names), replace(describe_check_environment(), base_url=planned.base_url))
    failure = failure or steps.fatal
    if failure is not None:
        fail_test(run, failure)
