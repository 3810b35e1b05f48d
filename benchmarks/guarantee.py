"""Whether both error rates of a smoke check hold, in checks whose truth is known because they are made up.

Latencies are drawn from distributions that are hard on a comparison, the candidate's is changed by nothing or by just the margin,
and each check is gone through as `journey smoke` goes through one: look by look, every step ended at its first outcome that is not
`undecided`. At the margin a wrong outcome is as likely as it can be.
Run: `python -m benchmarks.guarantee [--checks N]`; the table is in docs/smoke-statistics.md.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil, exp, log
from random import Random

from reports.compare import Outcome, Rule
from reports.compare.decision import allowed, evidence, margin, outcome

FRAME = 1 / 60
SAVED = 20
"""Runs of a saved baseline."""

World = Callable[[Random, float], float]
"""A latency in seconds; the number is how slow the machine is just now, 0 for as usual."""
Change = Callable[[float], float]
"""A candidate's latency from what it would have been if nothing had changed."""


def steady(chance: Random, drift: float) -> float:
    """Around 200 ms, with hardly any noise."""
    return 0.2 * exp(chance.gauss(drift, 0.01))


def lognormal(chance: Random, drift: float) -> float:
    """Around 120 ms, a tenth of that as noise."""
    return 0.12 * exp(chance.gauss(drift, 0.1))


def outliers(chance: Random, drift: float) -> float:
    """The same around 300 ms, but one run in ten takes two to six times as long."""
    return 0.3 * exp(chance.gauss(drift, 0.08)) * (chance.uniform(2, 6) if chance.random() < 0.1 else 1)


def frames(chance: Random, drift: float) -> float:
    """Ends with a frame of 16.7 ms, and has two modes 50 ms apart, such as a cache that is hit or not."""
    return ceil((0.08 + 0.05 * (chance.random() < 0.3)) * exp(chance.gauss(drift, 0.06)) / FRAME) * FRAME


WORLDS: tuple[World, ...] = (steady, lognormal, outliers, frames)


def unchanged(latency: float) -> float:
    """Nothing has changed."""
    return latency


def samples(
    chance: Random, world: World, change: Change, runs: int, paired: bool, hour: float
) -> tuple[list[float], list[float]]:
    """Baseline and candidate: in pairs, on a machine that drifts from pair to pair; or a saved baseline, on one that does not.

    `hour` is how slow the machine is while the check runs; a saved baseline was made when it was as usual.
    """
    if not paired:
        return [world(chance, 0.0) for _ in range(SAVED)], [change(world(chance, hour)) for _ in range(runs)]
    drifts = [chance.gauss(hour, 0.2) for _ in range(runs)]
    return [world(chance, drift) for drift in drifts], [change(world(chance, drift)) for drift in drifts]


def decided(
    baseline: Sequence[float], candidate: Sequence[float], rule: Rule, family: int, paired: bool
) -> tuple[Outcome, int]:
    """The first outcome that is not `undecided`, and after how many runs, as a smoke check would have it."""
    for look, runs in enumerate(rule.looks):
        before = baseline[:runs] if paired else baseline
        found = outcome(evidence(before, candidate[:runs], rule, paired), *allowed(rule, look, family, paired))
        if found != "undecided":
            return found, runs
    return "undecided", rule.looks[-1]


def check(chance: Random, rule: Rule, change: Change, paired: bool, hour: float = 0.0) -> list[Outcome]:
    """One check with a step of each world; their outcomes, in the order of the worlds."""
    sides = [samples(chance, world, change, rule.looks[-1], paired, hour) for world in WORLDS]
    return [decided(*both, rule, len(WORLDS), paired)[0] for both in sides]


def errors(checks: int, rule: Rule, change: Change, paired: bool, seed: int, hour: float = 0.0) -> tuple[int, list[int]]:
    """In how many checks any step was called slower or faster; and in how many each step was called the same."""
    chance, alarms, same = Random(seed), 0, [0] * len(WORLDS)
    for _ in range(checks):
        found = check(chance, rule, change, paired, hour)
        alarms += "slower" in found or "faster" in found
        same = [before + (one == "same") for before, one in zip(same, found, strict=True)]
    return alarms, same


def changes(rule: Rule) -> dict[str, Change]:
    """What can have happened without a step having changed beyond the margin, up to the very margin."""
    faster = partial(_faster, rule=rule)
    return {"nothing": unchanged, "slower by the margin": partial(margin, rule=rule), "faster by the margin": faster}


def _faster(latency: float, rule: Rule) -> float:
    """The latency whose margin is the one given."""
    return max(min(latency / (1 + rule.tolerance), latency - rule.floor_seconds), 0.0001)


def report(checks: int) -> str:
    """A Markdown table of both rates."""
    rule = Rule()
    names = " | ".join(world.__name__ for world in WORLDS)
    lines = [
        f"| measured | what has changed | checks with a false alarm | called same: {names} |",
        "| --- | --- | --: |" + " --: |" * len(WORLDS),
    ]
    for paired in (True, False):
        rows = [(name, change, 0.0) for name, change in changes(rule).items()]
        for name, change, hour in [*rows, ("nothing, but the machine is 25 % slower", unchanged, log(1.25))]:
            alarms, same = errors(checks, rule, change, paired, seed=1, hour=hour)
            shares = " | ".join(f"{one / checks:.1%}" for one in same)
            lines.append(f"| {'in pairs' if paired else 'saved'} | {name} | **{alarms / checks:.2%}** | {shares} |")
    bounds = (
        f"False alarms at most {rule.alarm:.0%}; of steps that have changed by the margin, at most {rule.miss:.0%} called same."
    )
    return "\n".join([*lines, "", f"{checks} checks of {len(WORLDS)} steps a row. {bounds}"])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=10_000)
    print(report(parser.parse_args().checks))


if __name__ == "__main__":
    main()
