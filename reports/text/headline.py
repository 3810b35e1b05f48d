"""A smoke check in one sentence: what failed, and by how much, or that everything passed."""

from reports.smoke.result import SmokeResult
from reports.text.smoke_problems import list_smoke_problems
from reports.text.smoke_text import NOTHING_DECIDED, TOGETHER, is_nothing_decided


def format_headline(result: SmokeResult) -> str:
    """The first line of every report: the worst problem, or the fact that there is none."""
    found = list_smoke_problems(result)
    if found:
        first = found[0]
        count = len({one.journey for one in found if one.verdict == first.verdict})
        return f"{first.verdict}: {first.place}: {first.summary}, {count} of {_journeys(result)}"
    if result.stopped:
        return f"{result.verdict}: stopped from the keyboard before it was done"
    if not result.journeys:
        return "passed: there was nothing to run"
    if result.baseline is None:
        runs = max(len(one.runs) for one in result.journeys)
        return f"passed: {_journeys(result)} in {runs} {'run' if runs == 1 else 'runs'} each"
    outcomes = [step.comparison.outcome for one in result.journeys for step in one.steps if step.comparison is not None]
    if not outcomes:
        return f"passed: {_journeys(result)}, but no step could be compared with {result.baseline.name}"
    if is_nothing_decided(result):
        steps = f"{len(outcomes)} of {len(outcomes)} steps undecided"
        return f"{NOTHING_DECIDED}: {_journeys(result)}, {steps} against {result.baseline.name}"
    looks = _looks(result)
    undecided = outcomes.count("undecided")
    if undecided == len(outcomes):
        return f"passed: {_journeys(result)}, {undecided} of {undecided} steps undecided, {_together(result)}{looks}"
    said = f"no step is more than {result.rule.tolerance * 100:g} % slower than {result.baseline.name}"
    return f"passed: {_journeys(result)}, {f'{undecided} of {len(outcomes)} steps undecided, of the others ' if undecided else ''}{said}{looks}"


def _looks(result: SmokeResult) -> str:
    """What is known of how the steps look, as the rest of the sentence."""
    outcomes = [step.picture.outcome for one in result.journeys for step in one.steps if step.picture is not None]
    compared = [one for one in outcomes if one != "not compared"]
    if not compared:
        return ""
    if "different" in compared:
        return ", and no more of a page looks different than its budget allows"
    undecided = compared.count("undecided")
    return f", {undecided} of {len(compared)} pictures undecided" if undecided else ", and all look the same"


def _together(result: SmokeResult) -> str:
    """What is known where no step was decided: of the journeys as a whole, or of their budgets."""
    wholes = [one.whole.comparison.outcome for one in result.journeys if one.whole.comparison is not None]
    decided = len(wholes) - wholes.count("undecided")
    if not decided or result.baseline is None:
        return "budgets kept"
    of = "" if decided == len(result.journeys) else f" in {decided} of {_journeys(result)}"
    return f"{TOGETHER} not more than {result.rule.tolerance * 100:g} % slower than {result.baseline.name}{of}"


def _journeys(result: SmokeResult) -> str:
    count = len(result.journeys)
    return f"{count} {'journey' if count == 1 else 'journeys'}"
