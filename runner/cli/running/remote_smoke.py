"""The runs of `journey smoke --remote`."""

from datetime import UTC, datetime

from reports.remote.runs import RemoteRuns, Wish
from reports.smoke import verdict
from reports.smoke.check import Check
from reports.smoke.question import Question
from reports.smoke.result import SmokeResult
from reports.terminal.console import SafeConsole
from reports.terminal.smoke_progress import SmokeProgress
from runner.archive.run_id import run_id
from runner.cli.running.remote_run import cancel, given_base_url
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.settings.settings import Settings


def measure_remotely(
    remote: RemoteRuns, question: Question, plans: list[tuple[Journey, Plan]], settings: Settings, console: SafeConsole
) -> SmokeResult:
    """Has all runs made, one after the other, and returns the result; after Ctrl-C, the result of the runs so far."""
    check, started_at, stopped = Check(question, plans), datetime.now(UTC), False
    named = given_base_url(settings)
    locations = (settings.location,) if settings.origin("location") in {"environment", "option"} else ()
    params = settings.params if settings.origin("params") in {"environment", "option"} else {}
    with SmokeProgress(console) as progress:

        def run(wanted: Plan) -> RunEnded:
            wish = Wish(
                journeys=(wanted.journey,),
                locations=locations,
                base_url=question.against if wanted.base_url == question.against else named,
                params=params,
                release=settings.release,
                reason="smoke",
            )
            return RunEnded(result=remote.make(wish, [progress])[-1])

        try:
            check.measure(run, progress.round)
        except KeyboardInterrupt:
            stopped = True
            cancel(remote)
    return verdict.result(check, run_id(), started_at, stopped)
