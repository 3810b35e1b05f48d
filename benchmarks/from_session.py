"""How many recorded sessions become journeys that hold.

Visitors with a script walk four sites, each time another way, recorded as any site's are: by the agent, its recorder and the collector.
What is stored of a walk is all that a journey is made of.
Counted are the visitors' actions that the journey repeats, each with its element found again, and the journeys that pass three times.
The targets are 95 and 90 %. Run: `python -m benchmarks.from_session [--sessions 6] [--seed 1] [--site NAME]
[--keep FOLDER]`; the table is in docs/from-session.md.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

from msgspec import Struct

from benchmarks.recorded import line, recorded
from benchmarks.replay import serving as collecting
from benchmarks.sites import library, panels, tickets, walks
from benchmarks.sites.serving import serving
from benchmarks.sites.walks import Site
from benchmarks.sites.watched import watched
from reports.codegen import Made, make_journey
from reports.replay.chunk_store import ChunkStore
from runner.browser.chromium import Browser, find
from runner.demo import running_shop
from runner.errors import JourneyError
from runner.settings.load_settings import load_settings


class Outcome(Struct, frozen=True):
    """One session and what happened to it."""

    site: str
    walk: str
    done: int
    """What the visitor has done."""
    made: Made | None
    problem: str
    seconds: float
    """For making the journey, without its trial."""


def outcomes(
    site: Site, address: str, chunk_store: ChunkStore, browser: Browser, sessions: int, seed: int, folder: Path
) -> Iterator[Outcome]:
    """Records so many sessions and makes a journey of each."""
    for number in range(sessions):
        walk = site.walks[number % len(site.walks)]
        walks.done.clear()
        settings = load_settings(folder, {"base_url": address, "params": site.typed, "runs_dir": folder / "runs"}, os.environ)
        began = time.perf_counter()
        try:
            recording = recorded(chunk_store, browser, address, partial(walk, chance=Random(f"{seed} {site.name} {number}")))
            began = time.perf_counter()
            made = make_journey(recording, settings, try_it=False)
            seconds = time.perf_counter() - began
            made = make_journey(recording, settings, yes=True)
            yield Outcome(site.name, walk.__name__, len(walks.done), made, made.report.trial.message, seconds)
        except JourneyError as error:
            yield Outcome(site.name, walk.__name__, len(walks.done), None, str(error), time.perf_counter() - began)


def main() -> None:
    """Prints a line for each session, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=6, help="of each site")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--site", default="", help="only sites with this in their name")
    parser.add_argument("--keep", type=Path, help="a folder for the journeys")
    given = parser.parse_args()
    os.environ.update(walks.SECRETS)
    browser = find()
    found: list[Outcome] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector, chunk_store = stack.enter_context(collecting(folder))
        others = ((walks.LIBRARY, library.SITE), (walks.TICKETS, tickets.site()), (walks.HOTEL, panels.SITE))
        served = (
            (walks.SHOP, stack.enter_context(running_shop(collector=collector, replay=1))),
            *((site, stack.enter_context(serving(watched(pages, line(collector))))) for site, pages in others),
        )
        for site, address in served:
            if given.site not in site.name:
                continue
            for number, one in enumerate(outcomes(site, address, chunk_store, browser, given.sessions, given.seed, folder)):
                found.append(one)
                print(_line(one), flush=True)
                if given.keep and one.made:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{one.walk}_{number}.py").write_text(one.made.source)
    print()
    print(
        "| site | sessions | actions done | in the journey | more than was done | journeys green 3 of 3 | median s to make one |"
    )
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for name in dict.fromkeys(one.site for one in found):
        print(_row(name, [one for one in found if one.site == name]))
    print(_row("**all**", found))


def _line(one: Outcome) -> str:
    if one.made is None:
        return f"{one.site}: {one.walk}: no journey: {one.problem}"
    report = one.made.report
    where = f" at action {report.trial.action}: {one.problem.splitlines()[0]}" if one.problem else ""
    return f"{one.site}: {one.walk}: {report.resolved} of {one.done} actions, {report.trial.verdict}{where}"


def _row(name: str, some: list[Outcome]) -> str:
    reports = [one.made.report for one in some if one.made]
    # Of what the visitors did, not of what was understood of it; an action too many does not make up for one that is missing.
    actions, resolved = sum(one.done for one in some), sum(min(one.done, one.made.report.resolved) for one in some if one.made)
    more = sum(max(len(one.made.report.actions) - one.done, 0) for one in some if one.made)
    green = sum(one.trial.verdict == "verified" for one in reports)
    seconds = sorted(one.seconds for one in some)[len(some) // 2]
    share = f"{resolved / actions:.1%}" if actions else "–"
    return f"| {name} | {len(some)} | {actions} | {share} | {more} | {green} ({green / len(some):.0%}) | {seconds:.1f} |"


if __name__ == "__main__":
    main()
