"""Why a request is rejected: the response to its sender, and the reason under which it is counted."""

from typing import Literal

from runner.errors import JourneyError

Reason = Literal[
    "not_json",
    "invalid",
    "encoding",
    "too_large",
    "slow",
    "unknown_app",
    "wrong_key",
    "wrong_origin",
    "rate_limited",
    "unavailable",
    "method",
]


class Refusal(JourneyError):
    """A request that is rejected; `field` is what is wrong, `fix` what its sender can do."""

    def __init__(
        self, status: int, reason: Reason, error: str, *, field: str = "", fix: str = "", retry_after: float = 0.0
    ) -> None:
        super().__init__(error)
        self.status = status
        self.reason: Reason = reason
        self.field = field
        self.fix = fix
        self.retry_after = retry_after

    def body(self) -> dict[str, str]:
        """The body of the response, as JSON."""
        content = {"error": str(self), "field": self.field, "fix": self.fix}
        return {name: text for name, text in content.items() if text}
