"""`journey smoke`: run journeys several times, compare them with budgets and a baseline, reach one verdict."""

from typing import Annotated

import typer
from msgspec.structs import replace

from reports.formats.report_files import Files
from runner.cli import INTERRUPTED, given
from runner.cli.running.remote_run import (
    Remote,
    RemoteTimeout,
    open_remote,
    refuse_local_options,
)
from runner.cli.running.report_options import with_report_options
from runner.cli.running.run import BUDGET, FAILED, MONITOR, PASSED
from runner.cli.running.smoke_question import ask_for_costs, ask_question
from runner.dsl.budget_check import find_unmatched_names
from runner.dsl.plan import plan
from runner.pictures.requirements import require_packages
from runner.workers.pool import Workers

WIDE = 200
"""The number of columns of output to a file or a log."""
CODES = {"passed": PASSED, "failed": FAILED, "error": MONITOR, "missed": BUDGET}


@with_report_options("smoke")
def smoke(
    wanted: given.Wanted = None,
    tag: given.Tags = None,
    runs: Annotated[int | None, typer.Option(help="Measured runs of each journey that has no baseline (default: 5).")] = None,
    warm_up: Annotated[
        int | None, typer.Option(help="Runs of each journey beforehand, which are not counted (default: 1).")
    ] = None,
    max_runs: Annotated[
        int | None, typer.Option(help="The maximum number of measured runs of a journey, also with a baseline.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="FILE|NAME|URL", help="Compare the latencies with a saved baseline.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="URL", help="Measure this site too, side by side, and compare.")
    ] = None,
    save_baseline: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="Save the measurements as a baseline if the check passes.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option(help="How much slower is acceptable, such as 10%, 0.1 or 10%,20ms (default: 10%).")
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Compare how the page looks at the end of each step, too.")
    ] = False,
    picture_area: Annotated[
        str | None, typer.Option(metavar="viewport|page", help="What is on a picture (default: viewport).")
    ] = None,
    block: Annotated[
        list[str] | None,
        typer.Option(
            metavar="each|third-party|PATTERN",
            help="Measure what this costs, by walks without it; 'each': every third party for itself (repeatable).",
        ),
    ] = None,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Show which scripts and styles are not used, by one more run that does not count."),
    ] = False,
    cpu_profile: Annotated[
        str | None,
        typer.Option(metavar="on-slow|always|off", help="Profile journeys that are too slow, in one more run (default: off)."),
    ] = None,
    undecided: Annotated[
        str | None, typer.Option(metavar="pass|fail", help="The verdict on steps that cannot be decided (default: pass).")
    ] = None,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Keep measuring a journey that has failed.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="The seed of the order in which the two sites are measured.")] = None,
    base_url: given.BaseUrl = None,
    param: given.Params = None,
    env: given.EnvironmentName = None,
    retries: Annotated[
        int,
        typer.Option(min=0, help="Attempts after the first, if it does not pass; other settings of retries do not apply here."),
    ] = 0,
    timeout: given.Timeout = None,
    trace: given.Policy = None,
    screenshots: given.Policy = None,
    accessibility: given.Accessibility = None,
    headed: given.Headed = None,
    browser_path: given.BrowserPath = None,
    location: Annotated[str | None, typer.Option(help="The location of this monitor.")] = None,
    runs_dir: given.RunsDir = None,
    remote: Remote = None,
    remote_timeout: RemoteTimeout = None,
    *,
    files: Files,
) -> None:
    """Run journeys several times, compare them with budgets and a baseline, and reach one verdict.

    Exit codes: 0 passed, 1 a journey failed, 2 usage or configuration, 3 the monitor itself failed (or the reference site of
    --against), 4 a budget or the baseline was missed.

    Example: journey smoke --tag critical --base-url https://staging.shop.example --against https://shop.example
    """
    from reports.smoke.weight.uncounted import without_instruments
    from reports.terminal.console import make_console
    from runner.cli.running.smoke_measurement import measure
    from runner.cli.running.smoke_outcome import require_folders, show_and_save

    if remote is not None:
        refuse_local_options(
            {
                "pictures": pictures,
                "picture_area": picture_area,
                "block": block,
                "coverage": coverage,
                "cpu_profile": cpu_profile,
                "accessibility": accessibility,
                "retries": retries,
                "timeout": timeout,
                "trace": trace,
                "screenshots": screenshots,
                "headed": headed,
                "browser_path": browser_path,
            }
        )
    settings = given.settings(
        env,
        smoke_runs=runs,
        smoke_warm_up=warm_up,
        smoke_max_runs=max_runs,
        smoke_tolerance=tolerance,
        smoke_undecided=undecided,
        picture_area=picture_area,
        smoke_cpu_profile=cpu_profile,
        base_url=base_url,
        params=given.params(param),
        retries=retries,
        timeout=timeout,
        trace=trace,
        screenshots=screenshots,
        accessibility=accessibility,
        headed=headed,
        browser_path=browser_path,
        location=location,
        runs_dir=runs_dir,
    )
    if not settings.sends_tests:
        # No run refers to a trace that nobody gets.
        settings = replace(settings, otlp_endpoint=None)
    if pictures:
        require_packages("--pictures")
    require_folders(files, save_baseline, settings)
    console = make_console(stderr=files.on_stdout, highlight=False)
    if not console.is_terminal:
        # Output to a pipe is not read in 80 columns.
        console.width = WIDE
    try:
        elsewhere = open_remote(remote, settings, console, remote_timeout) if remote is not None else None
        with Workers(0 if elsewhere else 1) as pool:
            chosen = given.journeys(wanted, tag, settings)
            if elsewhere is None:
                given.require_secrets(chosen, settings)
            plans = [(one, without_instruments(plan(one, settings))) for one in chosen]
            whole = not wanted and not tag
            notes = [
                *given.misfits(settings, chosen, whole=whole),
                *(find_unmatched_names(settings, chosen) if whole else ()),
            ]
            sites = ", ".join(dict.fromkeys(one.base_url for _, one in plans if one.base_url))
            question = ask_question(settings, chosen, sites or None, baseline, against, keep_going, seed, notes)
            if pictures:
                from reports.smoke.question import with_pictures

                question = with_pictures(question, settings)
            question = ask_for_costs(question, tuple(block or ()), coverage, settings, plans)
            if elsewhere is not None:
                from runner.cli.running.remote_smoke import measure_remotely

                result = measure_remotely(elsewhere, question, plans, settings, console)
            else:
                result = measure(pool, question, plans, settings, console)
            if any(step.profile for one in result.journeys for step in one.steps):
                from reports.smoke.weight.original_code import add_original_places

                result = add_original_places(result, settings)
        show_and_save(result, settings, console, files, save_baseline)
    except KeyboardInterrupt:
        typer.echo("stopped; the runs that had ended are saved", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(INTERRUPTED if result.stopped else CODES[result.verdict])
