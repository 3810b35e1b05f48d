"""Two sets of runs of a journey compared step by step, with the statistics of the smoke checks."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from reports.compare import Comparison, Rule, decide
from reports.web.query.comparison import ComparedSides, Side
from runner.store.queries.runs import History
from runner.store.queries.samples import Sample, Wanted, sample

FEW = 8
"""Runs: the smoke checks make no decision with fewer."""
CROWDED = 0.2
"""Share of runs on a busy machine above which a note is added."""


class SideData(Struct, frozen=True, kw_only=True):
    """One side: which runs, and how they ended."""

    release: str | None
    start: datetime
    end: datetime
    passed: int
    failed: int
    errors: int
    compared: int
    """Of those that passed."""
    contended: int
    """Of those that are compared, on a busy machine."""


class StepComparison(Struct, frozen=True, kw_only=True):
    """One step on both sides."""

    step: str
    comparison: Comparison | None
    """None for a step that only one side has."""
    note: str = ""


class ComparisonData(Struct, frozen=True, kw_only=True):
    """The candidate compared with the baseline."""

    journey: str
    location: str | None
    baseline: SideData
    candidate: SideData
    rule: Rule
    """Its one look is after all runs of the candidate."""
    steps: tuple[StepComparison, ...]
    notes: tuple[str, ...]
    """What a reader has to know before he trusts it."""


def read_comparison(
    connection: Connection, name: str, location: str | None, sides: ComparedSides, rule: Rule
) -> ComparisonData | None:
    """The comparison; None for an unknown journey.

    The runs of a saved history come in no random order, so the test is the one of a saved baseline (rank sum). It is one look: the
    error rates hold for a single look, not for repeated looks until the result pleases.
    """
    if not History(connection).knows(name):
        return None
    before, after = (_sample(connection, name, location, side) for side in (sides.baseline, sides.candidate))
    once = msgspec.structs.replace(rule, looks=(max(after.taken, 1),))
    both = [step for step in after.latencies if step in before.latencies]
    steps = [
        StepComparison(
            step=step,
            comparison=_decided(before.latencies[step], after.latencies[step], once, len(both)),
        )
        if step in before.latencies
        else StepComparison(step=step, comparison=None, note="not in the runs that it is compared with")
        for step in after.latencies
    ]
    steps += [
        StepComparison(step=step, comparison=None, note="only in the runs that it is compared with")
        for step in before.latencies
        if step not in after.latencies
    ]
    return ComparisonData(
        journey=name,
        location=location,
        baseline=_side(sides.baseline, before),
        candidate=_side(sides.candidate, after),
        rule=once,
        steps=tuple(steps),
        notes=tuple(_notes(before, after)),
    )


@lru_cache(maxsize=128)
def _decided(before: Sequence[float], after: Sequence[float], rule: Rule, family: int) -> Comparison:
    """The same runs give the same answer, and a page that follows what happens asks again and again."""
    return decide(before, after, rule, look=0, family=family, paired=False)


def _sample(connection: Connection, name: str, location: str | None, side: Side) -> Sample:
    return sample(connection, Wanted(journey=name, location=location, span=side.time_range.range, release=side.release))


def _side(side: Side, found: Sample) -> SideData:
    return SideData(
        release=side.release,
        start=side.time_range.start,
        end=side.time_range.end,
        passed=found.passed,
        failed=found.failed,
        errors=found.errors,
        compared=found.taken,
        contended=found.contended,
    )


def _notes(before: Sample, after: Sample) -> list[str]:
    notes = []
    sides = (("shown", after), ("compared with", before))
    for what, one in sides:
        if 0 < one.taken < FEW:
            notes.append(f"{one.taken} of the runs {what} passed; with fewer than {FEW} a difference says little")
        if one.taken < one.passed:
            notes.append(f"{one.taken} of the {one.passed} runs {what} that passed stand for all of them, spread evenly")
    crowded = [
        f"{one.contended} of {one.taken} runs {what}"
        for what, one in sides
        if one.taken and one.contended / one.taken >= CROWDED
    ]
    if crowded:
        notes.append(f"on a busy machine, so that latencies may be too high: {' and '.join(crowded)}")
    if max(before.locations, after.locations) > 1:
        notes.append("the runs are of several locations, which may differ more than the two sides do; choose one")
    return notes
