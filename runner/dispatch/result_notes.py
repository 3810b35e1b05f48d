"""What a result says about the way on which it came."""

from runner.dispatch.in_flight import SentRun
from runner.dispatch.messages import Ended

SKEW = 2.0
"""Seconds by which a worker's clock may differ before its results say so."""


def find_notes(ended: Ended, sent: SentRun | None, ahead: float) -> list[str]:
    """The notes of a result; `ahead` is by how many seconds the clock of its worker is ahead of the scheduler's."""
    notes = []
    before = (*sent.earlier, sent.worker) if sent is not None else ()
    earlier = dict.fromkeys(one for one in before if one and one != ended.worker)
    if earlier:
        notes.append(f"walked again by {ended.worker}, as {', '.join(earlier)} was lost or cut off while it was under way")
    elif ended.redelivered:
        notes.append(f"{ended.worker} was not the first worker to get the run: the broker had delivered it before")
    if abs(ahead) > SKEW:
        way = "ahead of" if ahead > 0 else "behind"
        notes.append(
            f"the clock of {ended.worker} is {abs(ahead):.0f} s {way} the scheduler's; the times of the run are by that clock"
        )
    return notes
