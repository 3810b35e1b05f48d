"""What a reader of the result has to know before he trusts it: what was not compared, and what may have disturbed it."""

import os
from collections.abc import Iterator

from reports.smoke.check import Check
from reports.smoke.measurement import Figures
from reports.smoke.question import Question
from runner.result import Environment


def of(check: Check, environment: Environment) -> Iterator[str]:
    """The notes of a check; `environment` is what the candidate was measured with."""
    question = check.question
    for one in check.measurements:
        name = one.journey.name
        if question.saved is not None and one.saved is None:
            yield f"the baseline has no journey {name!r}: it was not compared"
        for ended in one.warm_ups:
            if ended.result.status != "passed":
                run = ended.result
                step = f" in step {run.failure.step!r}" if run.failure and run.failure.step else ""
                yield f"a warm-up run of {name} ended {run.status}{step} and was not counted (run {run.id})"
        flaky = [ended.result.id for ended in one.candidate if ended.result.flaky]
        if flaky:
            yield f"{name} is flaky: {len(flaky)} of {len(one.candidate)} runs passed only at a later attempt"
    crowded = [(one, sum(ended.result.contended for ended in one.runs)) for one in check.measurements]
    counts = [f"{count} of {len(one.runs)} runs of {one.journey.name}" for one, count in crowded if count]
    if counts:
        yield f"latencies may be too high, as the machine was crowded in {', '.join(counts)}"
    yield from _unknown_figures(check)
    if environment != Environment():
        yield from _differences(question, environment)


def _unknown_figures(check: Check) -> Iterator[str]:
    """Budgets of what was never measured, such as `inp` of a step without input."""
    known: dict[str, bool] = {}
    for one in check.measurements:
        names: dict[str | None, Figures] = {None: one.whole[0]}
        names.update((step, candidate) for step, (candidate, _) in one.steps.items())
        for budget in check.question.budgets:
            for step, figures in names.items():
                if figures and budget.holds_for(one.journey.name, step):
                    known[budget.where] = known.get(budget.where, False) or budget.value(figures) is not None
    yield from (
        f"{where}: no run has this figure, so nothing was compared with it" for where, there in known.items() if not there
    )


def _differences(question: Question, environment: Environment) -> Iterator[str]:
    """In what a saved baseline was measured otherwise."""
    saved = question.saved
    if saved is None:
        return
    here = os.cpu_count() or 0
    pairs = {
        "browser": (saved.environment.browser, environment.browser),
        "system": (saved.environment.platform, environment.platform),
        "processors": (str(saved.processors or ""), str(here or "")),
        "base URL": (saved.environment.base_url or "", environment.base_url or ""),
        "location": (saved.location, question.location),
        "journey-runner": (saved.environment.runner, environment.runner),
    }
    differing = [f"{what} {old} → {new}" for what, (old, new) in pairs.items() if old and new and old != new]
    if differing:
        yield f"the baseline was measured otherwise: {', '.join(differing)}"
