"""The rules of alerts, which judge a journey by its newest runs alone."""

from collections.abc import Sequence

from msgspec import Struct

from runner.store.alerts.alerts import AlertKind, PastRun

HISTORY = 50
"""The number of newest runs that the rules consider."""
FLAKY_OF = 20
"""The number of passed runs over which the flaky share is computed."""


class Rules(Struct, frozen=True, kw_only=True):
    """`failing`: after `after` failed runs in a row, or `of[0]` failed runs among the newest `of[1]`. 0 turns a rule off."""

    after: int = 2
    of: tuple[int, int] = (0, 0)
    monitor_after: int = 3
    flaky_share: float = 0.3
    budget_after: int = 3


def judge(past: Sequence[PastRun], rules: Rules, is_open: frozenset[AlertKind] = frozenset()) -> dict[AlertKind, str]:
    """The alerts of a journey, each with the reason in words. `past` is newest first; cancelled and skipped runs do not count.
    What went wrong in quarantine does not count either: such a run counts as passed if it passed, else not.

    An alert in `is_open` ends later than it would open: `failing` with the first run that passes, `flaky` at half the share.
    """
    counted = [one for one in past if one.status == "passed" or (one.status in {"failed", "error"} and not one.set_aside)]
    if not counted:
        return {}
    found: dict[AlertKind, str] = {}
    failed = _streak([one.status == "failed" for one in counted])
    among, newest = rules.of
    recent = sum(one.status == "failed" for one in counted[:newest])
    if (rules.after and failed >= rules.after) or ("failing" in is_open and counted[0].status != "passed"):
        found["failing"] = f"{failed} runs in a row have failed" if failed > 1 else "its last run has failed"
    elif among and recent >= among:
        found["failing"] = f"{recent} of the last {min(newest, len(counted))} runs have failed"
    errors = _streak([one.status == "error" for one in counted])
    if rules.monitor_after and errors >= (1 if "monitor" in is_open else rules.monitor_after):
        found["monitor"] = f"the monitor itself has failed in {errors} runs in a row"
    passed = [one for one in counted if one.status == "passed"][:FLAKY_OF]
    share = sum(one.flaky and not one.set_aside for one in passed) / len(passed) if passed else 0.0
    limit = rules.flaky_share / 2 if "flaky" in is_open else rules.flaky_share
    if rules.flaky_share and len(passed) >= FLAKY_OF // 2 and share >= limit:
        found["flaky"] = f"{share:.0%} of the last {len(passed)} runs that passed needed another attempt"
    slow = _streak([one.over_budget and not one.set_aside for one in passed])
    if rules.budget_after and slow >= (1 if "budget" in is_open else rules.budget_after):
        found["budget"] = f"{slow} runs in a row were over a step's budget"
    return found


def _streak(marks: Sequence[bool]) -> int:
    """How many are true before the first that is not."""
    return next((number for number, mark in enumerate(marks) if not mark), len(marks))
