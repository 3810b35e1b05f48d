"""What a pytest session has run, as `--journey-json` writes it beside the runs of journeys. Documented in docs/pytest.md."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from runner.result import Artifact, RunResult

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed", "crashed"]
"""As pytest has them; `crashed`: the process of pytest-xdist that ran the test died."""
BAD: frozenset[Outcome] = frozenset({"failed", "error", "crashed"})
LONGEST_TEXT = 20_000
"""Characters of a failure's text that are kept; of a longer one, the beginning and the end."""


class RecordedAttempt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try of a test; the tries before the last were repeated by pytest-rerunfailures, or in another shard."""

    number: int
    outcome: Outcome
    started_at: datetime
    duration_seconds: float
    """Of set-up, call and tear-down together."""
    worker: str = ""
    """The process of pytest-xdist, such as `gw0`; empty where there is only one."""
    message: str = ""
    """The last line that pytest shows of the failure, or why the test was skipped or expected to fail."""
    text: str = ""
    """The whole failure as pytest shows it."""


class RecordedTest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A test, from its first attempt to its last."""

    id: str
    """pytest's own: `tests/test_shop.py::test_search[chromium]`."""
    attempts: tuple[RecordedAttempt, ...]
    run: str = ""
    """The id of the run of a journey, which is among the runs of the same document."""
    steps_run: RunResult | None = None
    """The run of a test that has used `step`."""
    folder: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    """What pytest-playwright has saved; `path` is relative to `folder`."""

    @property
    def last(self) -> RecordedAttempt:
        """The attempt that counts."""
        return self.attempts[-1]

    @property
    def flaky(self) -> bool:
        """Whether it passed, but not at its first attempt."""
        return self.last.outcome == "passed" and any(one.outcome in BAD for one in self.attempts[:-1])


def shorten_text(text: str) -> str:
    """The text, or its beginning and its end where it is too long."""
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters are left out …\n{text[-half:]}"
