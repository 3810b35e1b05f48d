"""A remote control command of Celery's: a scheduler says what time it is, so that clocks which differ make no run late."""

from typing import Any

from celery.worker.control import control_command


@control_command(args=[("message", str)], signature="<what a scheduler has signed>")  # type: ignore[untyped-decorator]  # Celery has no types
def journey_clock(state: Any, message: str) -> None:
    """Sets what time it is at the scheduler."""
    state.app.journey_worker.clock.hear(message)
