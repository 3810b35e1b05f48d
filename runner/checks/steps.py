"""The steps of a check: each call of a protocol is one, timed by the stopwatch, with its phases."""

import linecache
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import get_ident
from types import FrameType

from msgspec import Struct
from msgspec.structs import replace

from runner.checks.failures import CallFailed, explain_error
from runner.checks.phases import Phases
from runner.checks.time_limit import CheckTimeout, TimeLimit
from runner.dsl.protocols.registry import PROTOCOLS, name_call
from runner.errors import JourneyError
from runner.result import Certificate, Failure, StepResult, skipped, status_of
from runner.settings.duration import parse_positive_duration
from runner.untrusted_text import step_name

HOSTS = 50
"""The most hosts whose certificates are kept: each is a label of a metric."""


class CallError(JourneyError):
    """A call is not valid: its arguments, its name, or where it is made."""


class CheckOptions(Struct, frozen=True, kw_only=True):
    """What all protocols of a check get from its declaration."""

    base_url: str | None = None
    headers: dict[str, str] = {}
    basic_auth: tuple[str, str] | None = None
    ca_file: Path | None = None


class CheckSteps:
    """The steps of one attempt, and what its calls need: the time that is left, and the options of the check."""

    def __init__(
        self,
        file: str,
        limit: TimeLimit,
        options: CheckOptions,
        on_start: Callable[[str, int], None] = lambda *_: None,
        on_end: Callable[[StepResult], None] = lambda _: None,
    ) -> None:
        self.limit = limit
        self.options = options
        self.fatal: Failure | None = None
        """The failure of the call that ended the check."""
        self.certificates: dict[str, Certificate] = {}
        """Of the hosts that were met, by host."""
        self._file = file
        self._on_start = on_start
        self._on_end = on_end
        self._thread = get_ident()
        self._ended: list[StepResult] = []
        self._running = False

    @contextmanager
    def call(
        self, protocol: str, method: str, subjects: Sequence[str], name: str | None, under: str | float | None
    ) -> Iterator[Phases]:
        """Times the block as one step, named after its `subjects` or as `name` says. `under` is the latency that it must stay below."""
        for one in (*subjects, *([] if name is None else [name])):
            if not isinstance(one, str) or not one:
                raise CallError(f"{protocol}.{method}: {one!r} is not a text; write what to ask, such as a host or an address")
        title = step_name(name or name_call(PROTOCOLS[protocol].calls[method], subjects))
        most = _parse_bound(under, protocol, method)
        self._check(title)
        index, phases = len(self._ended), Phases()
        self._on_start(title, index)
        self._running, started_at, started = True, datetime.now(UTC), time.perf_counter()
        raised: BaseException | None = None
        try:
            yield phases
        except BaseException as error:  # noqa: BLE001 (whatever ends the call is reported with its step)
            raised = _name_phase(error, title, phases, self.limit.timeout)
        seconds = round(time.perf_counter() - started, 6)
        self._running = False
        if raised is None and most is not None and seconds >= most:
            raised = CallFailed("assertion", f"{title} took {seconds:.3f} s, expected less than {most:g} s")
        failure = None if raised is None else self._explain(raised, title)
        step = StepResult(
            name=title,
            index=index,
            status=status_of(failure),
            started_at=started_at,
            latency_seconds=seconds,
            wall_seconds=seconds,
            phases=phases.seconds,
            failure=failure,
        )
        self._ended.append(step)
        self._on_end(step)
        if raised is not None:
            self.fatal = self.fatal or failure
            raise raised

    def _explain(self, error: BaseException, title: str) -> Failure:
        """The failure of a call, at the line of the check that has made it."""
        failure = replace(explain_error(error, self._file, self.limit.timeout), step=title)
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename != self._file:
            frame = frame.f_back
        if frame is None:
            return failure
        code = linecache.getline(self._file, frame.f_lineno).strip() or None
        return replace(failure, file=self._file, line=frame.f_lineno, code=code)

    def keep_certificate(self, found: Certificate | None) -> None:
        """Adds the certificate of a host to those of the run."""
        if found is not None and len(self.certificates) < HOSTS:
            self.certificates[found.host] = found

    def check_any_ran(self) -> None:
        """Raises CallError where the check has asked nothing: it would pass whatever the site does."""
        if not self._ended:
            raise CallError("the check ended without asking anything; call one of its protocols, such as `http.get(…)`")

    def results(self, known: Collection[str] = ()) -> tuple[StepResult, ...]:
        """All steps; those of `known` that did not run are `skipped`."""
        names = {step.name for step in self._ended}
        return (*self._ended, *skipped([name for name in known if name not in names], len(self._ended)))

    def _check(self, title: str) -> None:
        if get_ident() != self._thread:
            raise CallError(f"step {title!r} begins in a thread of the check's own; call protocols in the check's thread only")
        if self._running:
            raise CallError(f"step {title!r} begins inside another step")
        if any(step.name == title for step in self._ended):
            raise CallError(
                f"a step named {title!r} has already run in this check; give one of the two a name of its own with name=…"
            )


def _parse_bound(under: str | float | None, protocol: str, method: str) -> float | None:
    try:
        return None if under is None else parse_positive_duration(under)
    except ValueError as error:
        raise CallError(f"{protocol}.{method}: under: {error}") from error


def _name_phase(error: BaseException, title: str, phases: Phases, seconds: float) -> BaseException:
    """A call that is still under way at the end of the time is the site's failure, not the check's own code."""
    if not isinstance(error, CheckTimeout):
        return error
    where = f" (while in {phases.current})" if phases.current else ""
    kept = CallFailed("timeout", f"{title} was still waiting{where} when the check's timeout of {seconds:g} s expired")
    return kept.with_traceback(error.__traceback__)
