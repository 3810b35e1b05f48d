"""A list of plans, run once in a pool of workers."""

from collections.abc import Sequence

from runner.archive.archive import Archive
from runner.browser.chromium import Browser
from runner.dsl.plan import Plan
from runner.events import Listener, Moment, RunEnded
from runner.result import RunResult
from runner.settings.settings import Settings
from runner.workers.pool import Workers

FOREVER = 3600.0


def run_plans(
    pool: Workers,
    plans: Sequence[Plan],
    browser: Browser | None,
    settings: Settings,
    archive: Archive,
    listeners: Sequence[Listener],
    last: bool = False,
) -> list[RunResult]:
    """Opens the pool for these, runs every plan once, and returns the results in the order in which the runs ended.

    Each result is saved in `archive` before the listeners hear that its run has ended. With `last`, the pool gets no more plans: its
    browsers close while the last results are saved.
    """
    results: list[RunResult] = []

    def collect(moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            results.append(moment.result)

    pool.open(browser, settings, archive, [collect, *listeners])
    run_in_order(pool, plans, last)
    return results


def run_in_order(pool: Workers, plans: Sequence[Plan], last: bool = False) -> None:
    """Runs every plan once in an open pool, in order, as many at a time as there is room for.

    On KeyboardInterrupt the runs under way are saved as `cancelled`, and the interrupt is raised again.
    """
    waiting = list(plans)
    try:
        while waiting or pool.running:
            # A journey that waits for a worker does not keep checks from running.
            while (startable := next((one for one in waiting if pool.can_start(one)), None)) is not None:
                waiting.remove(startable)
                pool.start_run(startable)
            # Saved while the next run begins: its worker would only wait meanwhile.
            pool.save_ended()
            pool.poll(FOREVER, save=False)
        if last:
            pool.begin_closing()
        pool.save_ended()
    except KeyboardInterrupt:
        pool.cancel_runs("cancelled from the keyboard")
        raise
