"""What a smoke check decides about a slow-down that is known: how often it is right, and after how many runs.

Two kinds of steps of the demo shop, a document and a request whose answer changes the page, are walked through with their usual
delay and with a longer one: next to each other, in an order that a coin decides, each walk in a fresh context.

1. Recorded: pairs of each slow-down, on the machine as it is (quiet, unless the load that is printed says otherwise) and beside a
   process that keeps one core busy (noisy).
2. Resampled: decisions on pairs that are drawn from the recorded ones, with replacement, both of a pair together. That shows how a
   rule works on noise of this shape and on a slow-down as large as the recorded one. It cannot show a drift over time, as the order
   is lost, nor what happens less than once in so many pairs. Where nothing is changed a coin swaps the sides of each drawn pair, as
   nothing tells them apart; otherwise the recording's own chance difference would come back in each decision.
3. Live: decisions on fresh pairs, each measured until it is decided, on the quiet machine.

Beside our rule stand two that are in use: the candidate's median of ten runs is 10 % above the baseline's, and a two-sided
Mann-Whitney test at 5 % of twenty runs on each side. The last table is that of benchmarks/guarantee.py.
Run: `python -m benchmarks.decisions [--quick]`, about ten minutes or two; the tables are in docs/smoke-statistics.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median

from benchmarks import guarantee
from reports.compare import Outcome, Rule, decide, rank_sum
from runner.archive.archive import Archive
from runner.browser.chromium import find
from runner.demo import running_shop
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans

KINDS = ("document", "request")
USUAL = 150
"""Milliseconds of delay; what the page needs comes on top."""
SIZES: dict[str, tuple[float, int]] = {
    "0": (0.0, 0),
    "5 %": (0.05, 0),
    "10 %": (0.1, 0),
    "20 ms": (0.0, 20),
    "20 %": (0.2, 0),
    "50 ms": (0.0, 50),
    "50 %": (0.5, 0),
    "200 ms": (0.0, 200),
}
"""Share of the step's own median, and milliseconds."""
FAMILY = 5
"""Steps of the check that each decision is taken to be part of."""
NAIVE, FIXED = 10, 20
OUTCOMES: tuple[Outcome, ...] = ("slower", "faster", "same", "undecided")
RULE = Rule()

Pairs = list[tuple[float, float]]
Walk = Callable[[Sequence[str]], list[float]]
"""Walks once through steps given as `kind:delay`; their latencies in seconds."""


@contextmanager
def shop() -> Iterator[Walk]:
    """A walk through a running shop, with one warm browser, every walk in a fresh context."""
    (journey,) = load_journeys(Path(__file__).with_name("decisions_journey.py"))
    browser = find()
    with tempfile.TemporaryDirectory() as folder, running_shop() as address, Workers(1) as pool:

        def walk(steps: Sequence[str]) -> list[float]:
            given = {"base_url": address, "trace": "off", "replay": "off", "params": {"steps": ",".join(steps)}}
            settings = load_settings(Path(folder), given, {})
            (result,) = run_plans(pool, [plan(journey, settings)], browser, settings, Archive(Path(folder) / "runs"), [])
            if result.status != "passed":
                raise SystemExit(f"the journey did not pass: {result.failure}")
            return [step.latency_seconds or 0.0 for step in result.steps]

        yield walk


@contextmanager
def busy(wanted: bool) -> Iterator[None]:
    """A process that keeps one core busy, if wanted."""
    if not wanted:
        yield
        return
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        burner.kill()
        burner.wait()


def beside(walk: Walk, usual: Sequence[str], longer: Sequence[str], chance: Random) -> Pairs:
    """One pair for each step, measured in two walks next to each other, in random order."""
    if chance.random() < 0.5:
        before, after = walk(usual), walk(longer)
    else:
        after, before = walk(longer), walk(usual)
    return list(zip(before, after, strict=True))


def longer_delays(walk: Walk, walks: int) -> dict[tuple[str, str], int]:
    """Milliseconds of delay for each kind and size, from the median of so many walks."""
    found = [walk([f"{kind}:{USUAL}" for kind in KINDS]) for _ in range(walks + 1)][1:]
    usual = {kind: median(one[at] for one in found) for at, kind in enumerate(KINDS)}
    print("Usual latency: " + ", ".join(f"{kind} {one * 1000:.0f} ms" for kind, one in usual.items()), flush=True)
    return {
        (kind, size): USUAL + round(usual[kind] * share * 1000) + more
        for kind in KINDS
        for size, (share, more) in SIZES.items()
    }


def record(walk: Walk, delays: dict[tuple[str, str], int], pairs: int, chance: Random) -> dict[tuple[str, str], Pairs]:
    """So many pairs for each kind and size; each walk has them all, in an order of its own."""
    found: dict[tuple[str, str], Pairs] = defaultdict(list)
    for _ in range(pairs):
        cases = chance.sample(list(delays), len(delays))
        measured = beside(walk, [f"{kind}:{USUAL}" for kind, _ in cases], [f"{one[0]}:{delays[one]}" for one in cases], chance)
        for case, pair in zip(cases, measured, strict=True):
            found[case].append(pair)
    return found


def ours(pairs: Pairs) -> tuple[Outcome, int]:
    """As a smoke check decides."""
    return guarantee.decided([one for one, _ in pairs], [other for _, other in pairs], RULE, FAMILY, paired=True)


def naive(pairs: Pairs) -> bool:
    """Slower when the median is 10 % above the baseline's."""
    some = pairs[:NAIVE]
    return median(other for _, other in some) > 1.1 * median(one for one, _ in some)


def fixed(pairs: Pairs) -> bool:
    """Changed when a two-sided Mann-Whitney test at 5 % says so."""
    before, after = zip(*pairs[:FIXED], strict=True)
    return min(rank_sum.p_above(before, after), rank_sum.p_above(after, before)) <= 0.025


def drawn(recorded: Pairs, swap: bool, chance: Random) -> Pairs:
    """As many pairs as the last look takes."""
    some = chance.choices(recorded, k=RULE.looks[-1])
    return [(pair[1], pair[0]) if swap and chance.random() < 0.5 else pair for pair in some]


def resampled(recorded: dict[tuple[str, str], Pairs], decisions: int, chance: Random) -> Iterator[str]:
    """A row for each size: shares of decisions, half of them on each kind."""
    for size in SIZES:
        some = [drawn(recorded[KINDS[at % 2], size], size == "0", chance) for at in range(decisions)]
        found = [ours(pairs) for pairs in some]
        outcomes, runs = Counter(outcome for outcome, _ in found), median(runs for _, runs in found)
        slower = [sum(rule(pairs) for pairs in some) for rule in (naive, fixed)]
        shares = [*(outcomes[one] for one in OUTCOMES), *slower]
        cells = [f"{one / decisions:.1%}" for one in shares]
        seen = ", ".join(f"{_change(recorded[kind, size]):+.0%}" for kind in KINDS)
        yield f"| {size} | {seen} | {' | '.join(cells[:4])} | {runs:.0f} | {' | '.join(cells[4:])} |"
        if size == "0":
            rules: tuple[Callable[[Pairs], bool], ...] = (lambda pairs: ours(pairs)[0] in ("slower", "faster"), naive, fixed)
            checks = [some[at : at + FAMILY] for at in range(0, decisions - FAMILY + 1, FAMILY)]
            anything = [f"{sum(any(map(rule, one)) for one in checks) / len(checks):.1%}" for rule in rules]
            yield f"| 0, any of {FAMILY} steps | | {anything[0]} | | | | | {anything[1]} | {anything[2]} |"


def live(walk: Walk, delays: dict[tuple[str, str], int], wanted: dict[str, int], chance: Random) -> Iterator[str]:
    """A row for each size: decisions on fresh pairs, several at a time, each until it is decided."""
    waiting = [(kind, size) for size, count in wanted.items() for kind in KINDS for _ in range(count // len(KINDS))]
    chance.shuffle(waiting)
    under_way: list[tuple[tuple[str, str], Pairs]] = []
    ended: dict[str, list[tuple[Outcome, int]]] = defaultdict(list)
    while waiting or under_way:
        while waiting and len(under_way) < 10:
            under_way.append((waiting.pop(), []))
        steps = [f"{case[0]}:{USUAL}" for case, _ in under_way], [f"{case[0]}:{delays[case]}" for case, _ in under_way]
        for (_, pairs), pair in zip(under_way, beside(walk, *steps, chance), strict=True):
            pairs.append(pair)
        for one in list(under_way):
            (_, size), pairs = one
            if len(pairs) not in RULE.looks:
                continue
            look = RULE.looks.index(len(pairs))
            found = decide([first for first, _ in pairs], [second for _, second in pairs], RULE, look, FAMILY, paired=True)
            if found.outcome != "undecided" or look == len(RULE.looks) - 1:
                ended[size].append((found.outcome, len(pairs)))
                under_way.remove(one)
    for size in wanted:
        counts = Counter(outcome for outcome, _ in ended[size])
        runs = [runs for _, runs in ended[size]]
        cells = " | ".join(str(counts[one]) for one in OUTCOMES)
        yield f"| {size} | {len(runs)} | {cells} | {median(runs):.0f} | {max(runs)} |"


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few pairs, few decisions")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = Random(given.seed)
    pairs, decisions, checks = (6, 200, 500) if given.quick else (18, 1000, 5000)
    wanted = {"0": 4, "200 ms": 2} if given.quick else {"0": 20, "20 %": 6, "50 ms": 6, "200 ms": 6}
    with shop() as walk:
        delays = longer_delays(walk, 5 if given.quick else 15)
        for machine in ("quiet", "noisy"):
            with busy(machine == "noisy"):
                recorded = record(walk, delays, pairs, chance)
            print(
                f"\nResampled, {machine}: {pairs} recorded pairs a kind and size, {decisions} decisions a row (load {_load()}).\n"
            )
            others = f"naive, {NAIVE} runs | Mann-Whitney, {FIXED} runs"
            print(f"| slow-down | as recorded | slower | faster | same | undecided | median pairs | {others} |")
            print("| --- | --- | --: | --: | --: | --: | --: | --: | --: |")
            print("\n".join(resampled(recorded, decisions, chance)), flush=True)
        print("\nLive.\n\n| slow-down | decisions | slower | faster | same | undecided | median pairs | most |")
        print("| --- | --: | --: | --: | --: | --: | --: | --: |")
        print("\n".join(live(walk, delays, wanted, chance)), flush=True)
        print(f"\nLoad of the machine at the end: {_load()}.")
    print(f"\nMade up.\n\n{guarantee.report(checks)}")


def _change(pairs: Pairs) -> float:
    return median(other for _, other in pairs) / median(one for one, _ in pairs) - 1


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
