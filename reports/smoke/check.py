"""The smoke check itself: round after round over the journeys, until every one has what it needs for a verdict."""

from collections.abc import Callable, Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from reports.compare import decide
from reports.smoke.blocking import Variant, decide_costs, make_variants
from reports.smoke.measurement import Measurement
from reports.smoke.question import Question
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.result import RunResult


class Round(Struct, frozen=True, kw_only=True):
    """One round over the journeys that are still measured, ended."""

    name: str
    runs: tuple[tuple[str, RunResult, RunResult | None], ...]
    """Each journey's run, and the one on the reference site."""
    decided: tuple[int, int] | None = None
    """After a look: of how many steps the outcome is known, of all that are compared."""


class Check:
    """One run of a journey at a time; in each round every journey once, and its two sides next to each other.

    So what changes in the meantime, on the machine, in the network or on a site, meets all alike. Which side of a pair goes
    first is drawn again each time.
    """

    def __init__(self, question: Question, journeys: Sequence[tuple[Journey, Plan]]) -> None:
        self.question = question
        self.measurements = [self._measurement(journey, plan) for journey, plan in journeys]
        self._draw = Random(question.seed)  # noqa: S311 (an order that can be had again, no secret)
        self._compared: set[tuple[str, str]] = set()
        self.variants: dict[str, list[Variant]] = {}
        """By journey: what is blocked to see what it costs."""
        self.notes: list[str] = []
        self._costing: set[tuple[str, str, tuple[str, str]]] = set()

    def measure(self, run: Callable[[Plan], RunEnded], tell: Callable[[Round], object]) -> None:
        """Makes all runs with `run`. What is known when an exception goes through it stays."""
        warm_up, rule = self.question.warm_up, self.question.rule
        for number in range(1, warm_up + 1):
            runs = []
            for one in self.measurements:
                candidate, baseline = self._pair(one, run)
                one.warm_ups += [ended for ended in (candidate, baseline) if ended is not None]
                runs.append(_told(candidate, baseline))
            tell(Round(name=f"warm-up {number} of {warm_up}", runs=tuple(runs)))
        for one in self.measurements if self.question.blocks else ():
            self.variants[one.journey.name], notes = make_variants(one, self.question.blocks)
            self.notes += notes
        number = 0
        most = max((self._most(one) for one in self.measurements), default=0)
        of = "of at most" if any(self._is_decided_by_looks(one) for one in self.measurements) else "of"
        while going := [one for one in self.measurements if one.open]:
            number += 1
            runs = []
            for one in going:
                candidate, baseline = self._measure_round(one, run, number)
                one.add(candidate, baseline)
                runs.append(_told(candidate, baseline))
                one.open = self._wanted(one, number)
            decided = self._look(rule.looks.index(number)) if number in rule.looks else None
            tell(Round(name=f"round {number} {of} {most}", runs=tuple(runs), decided=decided))

    def _measurement(self, journey: Journey, plan: Plan) -> Measurement:
        question = self.question
        saved = question.saved.journeys.get(journey.name) if question.saved else None
        return Measurement(journey, plan, reference(plan, question.against) if question.against else None, saved)

    def _measure_round(
        self, one: Measurement, run: Callable[[Plan], RunEnded], number: int
    ) -> tuple[RunEnded, RunEnded | None]:
        """The runs of one round: what is blocked is walked before the rest or after it, as a coin falls."""
        variants = [variant for variant in self.variants.get(one.journey.name, ()) if not variant.given_up]
        self._draw.shuffle(variants)
        early = [variant for variant in variants if self._draw.random() < 0.5]
        ended = {variant.name: run(variant.plan) for variant in early}
        candidate, baseline = self._pair(one, run, number)
        ended |= {variant.name: run(variant.plan) for variant in variants if variant not in early}
        for variant in variants:
            variant.add(candidate, ended[variant.name])
        return candidate, baseline

    def _pair(self, one: Measurement, run: Callable[[Plan], RunEnded], number: int = 0) -> tuple[RunEnded, RunEnded | None]:
        """The runs of one round, which is counted from 1; 0 is a warm-up."""
        pictured = 0 < number <= self.question.pictures
        own, other = (with_pictures(plan) if plan and pictured else plan for plan in (one.plan, one.reference))
        assert own is not None
        if other is None:
            return run(own), None
        candidate_first = self._draw.random() < 0.5
        if pictured:
            one.orders.append(candidate_first)
            if number == self.question.pictures > 1 and len(set(one.orders)) == 1:
                # What a third party changes from one visit to the next would else be a difference between the sides.
                candidate_first = not candidate_first
        if candidate_first:
            candidate = run(own)
            return candidate, run(other)
        baseline = run(other)
        return run(own), baseline

    def _wanted(self, one: Measurement, number: int) -> bool:
        if (one.bad or one.bad_baseline) and not self.question.keep_going:
            return False
        return number < self._most(one)

    def _most(self, one: Measurement) -> int:
        return self.question.rule.looks[-1] if self._is_decided_by_looks(one) else self.question.runs

    def _is_decided_by_looks(self, one: Measurement) -> bool:
        return one.compared or bool(self.variants.get(one.journey.name))

    def _look(self, look: int) -> tuple[int, int] | None:
        """Decides what can be decided, and ends the journeys of which all is."""
        rule, number = self.question.rule, self.question.rule.looks[look]
        looked_at = [
            one
            for one in self.measurements
            if self._is_decided_by_looks(one)
            and len(one.candidate) == number
            and (self.question.keep_going or not (one.bad or one.bad_baseline))
        ]
        self._decide_costs(looked_at, look)
        latencies = {one.journey.name: one.latencies() for one in looked_at if one.compared}
        self._compared |= {(name, step) for name, steps in latencies.items() for step in steps}
        for one in looked_at:
            for step, (baseline, candidate) in latencies.get(one.journey.name, {}).items():
                known = one.comparisons.get(step)
                if known is None or known.outcome == "undecided":
                    one.comparisons[step] = decide(
                        baseline, candidate, rule, look, len(self._compared), paired=one.reference is not None
                    )
            variants = self.variants.get(one.journey.name, ())
            if all(one.decided) and all(variant.decided for variant in variants):
                one.open = False
        decided = [known for one in self.measurements for known in one.decided]
        decided += [variant.decided for variants in self.variants.values() for variant in variants]
        return (sum(decided), len(decided)) if decided else None

    def _decide_costs(self, looked_at: Sequence[Measurement], look: int) -> None:
        variants = [(one.journey.name, variant) for one in looked_at for variant in self.variants.get(one.journey.name, ())]
        self._costing |= {(name, variant.name, key) for name, variant in variants for key in variant.times()}
        for _, variant in variants:
            decide_costs(variant, self.question.rule, look, len(self._costing))


def reference(plan: Plan, address: str) -> Plan:
    """The same run on another site, with a signed-in state of that site's own."""
    state = plan.state_file
    if state is not None:
        state = state.with_name(f"{state.stem}@{''.join(one if one.isalnum() else '_' for one in address)}.json")
    return replace(plan, base_url=address, state_file=state)


def with_pictures(plan: Plan) -> Plan:
    """The same run, with a picture at the end of each step; a check has no page."""
    if plan.kind == "check":
        return plan
    return replace(plan, artifact_policies={**plan.artifact_policies, "pictures": "on"})


def _told(candidate: RunEnded, baseline: RunEnded | None) -> tuple[str, RunResult, RunResult | None]:
    return candidate.result.journey, candidate.result, baseline.result if baseline else None
