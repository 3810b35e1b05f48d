"""The commands of Celery's remote control that a worker obeys: those that schedulers need, and no others.

Whoever may write to the broker can send commands, and Celery does not sign them; `shutdown`, `pool_shrink` or `rate_limit` would be theirs.
"""

from typing import Any

from celery.worker.control import Panel, control_command

OBEYED = frozenset({"journey_clock", "revoke", "hello"})
"""A scheduler says what time it is and takes runs back; a worker that starts asks the others which were taken back."""


@control_command(args=[("message", str)], signature="<what a scheduler has signed>")  # type: ignore[untyped-decorator]  # Celery has no types
def journey_clock(state: Any, message: str) -> None:
    """Sets what time it is at the scheduler, so that clocks which differ make no run late."""
    state.app.journey_worker.clock.hear(message)


def forget_other_commands() -> None:
    """Removes all others from this process; to be called before a worker is made."""
    for name in Panel.data.keys() - OBEYED:
        del Panel.data[name]
