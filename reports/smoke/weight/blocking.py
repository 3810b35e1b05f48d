"""What something costs that a site loads: each round the journey is walked with it, and once without, in a random order."""

import math
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from reports.compare import Comparison, Rule, decide, interval
from reports.compare.amounts import compare_amounts, is_exact
from reports.smoke.measurement import WHOLE, Measurement
from reports.smoke.result import BlockCheck, BlockedStep, Cost, CostOutcome
from reports.smoke.weight.amounts import Sides, pair_amounts
from runner import measures
from runner.dsl.context_plan import list_expressions
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.network.registrable_domain import site_of
from runner.result import RunResult

EACH = "each"
"""In place of a pattern: every third party that the warm-up has met."""
MOST_EACH = 15
"""Third parties that are measured one by one, the heaviest first."""
TIMES = ("latency", "lcp")
AMOUNTS = ("bytes", "requests", "script.cpu")
GIVEN_UP = 2
"""Failed walks after which it is no longer left out: the site does not work without it."""
_OUTCOMES: dict[str, CostOutcome] = {
    "slower": "costs",
    "more": "costs",
    "faster": "saves",
    "less": "saves",
    "same": "nothing",
    "undecided": "undecided",
    "varies": "undecided",
}


class Variant:
    """One journey without what a pattern of `block` matches."""

    def __init__(self, name: str, plan: Plan) -> None:
        self.name = name
        self.plan = leave_out(plan, name)
        self.runs: list[RunEnded] = []
        self.pairs: list[tuple[RunResult, RunResult]] = []
        """The walks without it and with it, of rounds in which both have passed."""
        self.failures: list[RunEnded] = []
        """The walks without it that have not passed where those with it have."""
        self.comparisons: dict[tuple[str, str], Comparison] = {}
        """By step, and WHOLE, and figure."""

    @property
    def given_up(self) -> bool:
        """Whether the journey fails without it."""
        return len(self.failures) >= GIVEN_UP

    @property
    def decided(self) -> bool:
        """Whether its cost in latency is known for each step, or cannot be."""
        known = [one.outcome for (step, figure), one in self.comparisons.items() if figure == "latency" and step != WHOLE]
        return self.given_up or (bool(known) and "undecided" not in known)

    def add(self, with_it: RunEnded, without: RunEnded) -> None:
        """Takes the two walks of a round."""
        self.runs.append(without)
        if with_it.result.status != "passed":
            return
        if without.result.status == "passed":
            self.pairs.append((without.result, with_it.result))
        else:
            self.failures.append(without)

    def times(self) -> dict[tuple[str, str], Sides]:
        """By step and figure, the seconds without it and with it, in pairs; of WHOLE the sums over all steps."""
        found: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
        for before, after in self.pairs:
            walked = [(name, *both) for name, both in _both(before, after).items()]
            for figure in TIMES:
                has = [(name, old[figure], new[figure]) for name, old, new in walked if figure in old and figure in new]
                if figure == "latency" and len(has) > 1 and len(has) == len(walked):
                    has.append((WHOLE, math.fsum(old for _, old, _ in has), math.fsum(new for _, _, new in has)))
                for name, old, new in has:
                    sides = found.setdefault((name, figure), ([], []))
                    sides[0].append(old)
                    sides[1].append(new)
        return {key: (tuple(old), tuple(new)) for key, (old, new) in found.items()}

    def amounts(self) -> dict[tuple[str, str], Sides]:
        """By step and figure, the amounts without it and with it, in pairs."""
        walks: dict[str, list[tuple[dict[str, float], dict[str, float]]]] = {}
        for before, after in self.pairs:
            for name, both in _both(before, after).items():
                walks.setdefault(name, []).append(both)
            walks.setdefault(WHOLE, []).append((measures.measure_run(before), measures.measure_run(after)))
        return {
            (name, figure): sides
            for name, walked in walks.items()
            for figure, sides in pair_amounts(walked).items()
            if figure in AMOUNTS
        }


def leave_out(plan: Plan, pattern: str) -> Plan:
    """The same run without what a pattern of `block` matches. Raises ConfigError for `third-party` without a base_url."""
    expressions = list_expressions([pattern], plan.base_url, f"--block {pattern}")
    blocked = "|".join(one for one in (plan.context.blocked, *expressions) if one)
    return replace(plan, context=replace(plan.context, blocked=blocked))


def make_variants(one: Measurement, patterns: Sequence[str]) -> tuple[list[Variant], list[str]]:
    """The variants of a journey, and notes; `each` is known from its warm-up."""
    if one.plan.kind == "check":
        return [], [f"{one.journey.name} is a check, which loads nothing that could be blocked"]
    names, notes = [], []
    for pattern in dict.fromkeys(patterns):
        if pattern != EACH:
            names.append(pattern)
            continue
        sites = find_third_parties(ended.result for ended in one.warm_ups)
        if len(sites) > MOST_EACH:
            notes.append(f"{one.journey.name} loads {len(sites)} third parties; the {MOST_EACH} heaviest are measured each")
        if not sites:
            notes.append(f"{one.journey.name} has loaded no third party")
        names += sites[:MOST_EACH]
    return [Variant(name, one.plan) for name in dict.fromkeys(names)], notes


def find_third_parties(runs: Iterable[RunResult]) -> list[str]:
    """The registrable domains of the third parties of some runs, the heaviest first."""
    found: dict[str, int] = {}
    for run in runs:
        for step in run.steps:
            for one in step.requests.weight:
                if one.party == "third" and one.host:
                    site = site_of(one.host)
                    found[site] = found.get(site, 0) + one.transfer_bytes
    return sorted(found, key=lambda site: (-found[site], site))


def decide_costs(one: Variant, rule: Rule, look: int, family: int) -> None:
    """Decides at one look what can be decided; what is decided stays so. `family` is the number of times compared in the whole check."""
    for key, sides in one.times().items():
        known = one.comparisons.get(key)
        if known is None or known.outcome == "undecided":
            one.comparisons[key] = decide(*sides, rule, look, family, paired=True)


def check_costs(variants: Sequence[Variant], rule: Rule) -> tuple[BlockCheck, ...]:
    """What has been found of each."""
    return tuple(_check(one, rule) for one in variants)


def _check(one: Variant, rule: Rule) -> BlockCheck:
    times, amounts = one.times(), one.amounts()
    family = sum(not is_exact(*sides) for sides in amounts.values())
    steps = []
    for name in dict.fromkeys(step for step, _ in (*times, *amounts)):
        costs = [
            _time_cost(figure, times[name, figure], one.comparisons.get((name, figure)), rule)
            for figure in TIMES
            if (name, figure) in times
        ]
        for figure in AMOUNTS:
            if (name, figure) in amounts:
                found = compare_amounts(figure, *amounts[name, figure], rule, family, paired=True)
                costs.append(
                    Cost(
                        figure=figure,
                        outcome=_OUTCOMES[found.outcome],
                        without=found.baseline,
                        present=found.candidate,
                        interval=found.interval,
                        exact=found.exact,
                    )
                )
        steps.append(BlockedStep(name=name, costs=tuple(costs)))
    failed = one.failures[0].result if one.failures else None
    return BlockCheck(
        name=one.name,
        steps=tuple(sorted(steps, key=lambda step: step.name == WHOLE)),
        pairs=len(one.pairs),
        runs=tuple(ended.result.id for ended in one.runs),
        blocked_requests=sum(step.requests.blocked for ended in one.runs for step in ended.result.steps),
        given_up=one.given_up,
        failure=failed.failure if failed else None,
        failed_run=failed.id if failed else None,
        failed_runs=len(one.failures),
    )


def _time_cost(figure: str, sides: Sides, comparison: Comparison | None, rule: Rule) -> Cost:
    without, present = sides
    middle = measures.percentile(without, 50), measures.percentile(present, 50)
    return Cost(
        figure=figure,
        outcome=_OUTCOMES[comparison.outcome] if comparison else "undecided",
        without=middle[0],
        present=middle[1],
        interval=interval.difference(without, present, rule.confidence, paired=True),
        comparison=comparison,
    )


def _both(before: RunResult, after: RunResult) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    old = {step.name: measures.measure_step(step) for step in before.steps if step.status == "passed"}
    new = {step.name: measures.measure_step(step) for step in after.steps if step.status == "passed"}
    return {name: (old[name], new[name]) for name in new if name in old}
