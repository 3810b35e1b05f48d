"""One step: a named part of a journey, timed by the page clock, with what was observed in it."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from threading import current_thread, get_ident
from typing import NoReturn

from msgspec import Struct, to_builtins
from msgspec.structs import replace
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from runner.accessibility import SIGNAL, Audit, AuditRequest
from runner.browser.deadline import DeadlineReached
from runner.browser.driver.exposed_functions import ExposedError
from runner.execution.failure import explain_failure, trim_message
from runner.execution.step_block import StepBlock, StepError
from runner.page.clock import Reading, Window
from runner.page.probe import Probe
from runner.result import SITE, Failure, Request, StepResult, skipped, status_of
from runner.settings.duration import parse_duration
from runner.settings.parsers.accessibility import parse_request
from runner.untrusted_text import step_name

StepAudit = Callable[[str, AuditRequest | None], Audit | None]
"""Checks the newest page for accessibility at the end of a step; what the journey has asked for is None if it has not."""


class _Ended(Struct, frozen=True):
    result: StepResult
    window: Window
    audit: Audit | None = None


class Steps:
    """The `step` that a journey gets: `with step("search", budget="1s"): …`.

    A failing step ends the journey, unless it is `soft`: then the failure is recorded, the journey goes on, and ends
    `failed`. A document that answers with a status of 400 or more fails its step, unless the status is in `allow_status`.
    """

    def __init__(
        self,
        probe: Probe,
        file: str,
        on_start: Callable[[str, int], None],
        on_end: Callable[[StepResult], None],
        audit: StepAudit = lambda *_: None,
    ) -> None:
        self._probe = probe
        self._file = file
        self._on_start = on_start
        self._on_end = on_end
        self._audit = audit
        self._asked: AuditRequest | None = None
        self._ended: list[_Ended] = []
        self._running: str | None = None
        self._not_entered: list[str] = []
        self._not_left: str | None = None
        self._pictured: list[Window] = []
        self._thread = get_ident()
        self.fatal: Failure | None = None
        """The failure of the step that ended the journey."""
        self.soft_failure: Failure | None = None
        """The first failure of a soft step, after which the journey went on."""

    def __call__(
        self, name: str, *, budget: str | float | None = None, soft: bool = False, allow_status: Collection[int] | int = ()
    ) -> AbstractContextManager[None]:
        """Times the block as step `name`, which may come from the page: it is kept well formed and bounded.

        `budget` is an upper bound of the latency: seconds, or a string such as `"800ms"`. Raises StepError inside another
        step and for a name that this run has used.
        """
        if not isinstance(name, str):
            raise StepError(f"{name!r} is not a name for a step; write a text")
        statuses: object = {allow_status} if isinstance(allow_status, int) else allow_status
        if not isinstance(statuses, Collection) or not all(isinstance(one, int) for one in statuses):
            raise StepError(f"step {name!r}: allow_status is {allow_status!r}; write statuses as numbers, such as {{404, 410}}")
        name = step_name(name)
        self._not_entered.append(name)
        return StepBlock(name, lambda: self._step(name, budget, soft, statuses))

    @property
    def running(self) -> str | None:
        """The name of the step that is under way."""
        return self._running

    def note_picture(self, started: float, ended: float) -> None:
        """Notes that the journey has pictured a page, which is nothing that a visitor waits for; seconds since the epoch."""
        self._pictured.append(Window(started, ended))

    def axe(
        self,
        *,
        include: Sequence[str] | str | None = None,
        exclude: Sequence[str] | str = (),
        tags: Sequence[str] | str | None = None,
        off: Mapping[str, str] | None = None,
    ) -> None:
        """Has the page checked for accessibility when the step ends, whatever the setting `accessibility`; it is in no time of the step.

        Of `include`, CSS selectors, or the whole page, without `exclude`; by the rules of `tags` without those that are `off`, each with
        a reason. Without them, the settings decide. What is found is in the result, see docs/accessibility.md.
        """
        if self._running is None:
            raise StepError("step.axe() is called outside of a step; call it under `with step(…):`, whose end is checked")
        self._asked = parse_request(include, exclude, tags, off)

    def __enter__(self) -> NoReturn:
        raise StepError('`with step:` names no step; write `with step("search"):`')

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError  # nothing enters it

    def check_all_ran(self) -> None:
        """Raises StepError where the journey has run to its end and a step was named but not begun, or none was."""
        if self._not_entered:
            name = self._not_entered[0]
            raise StepError(f"step {name!r} was named but never begun; write `with step({name!r}):` above what belongs to it")
        if self._not_left or self._running:
            open_step = self._not_left or self._running
            raise StepError(
                f"step {open_step!r} was begun and never ended; write `with step({open_step!r}):` above what belongs to it"
            )
        if not self._ended:
            raise StepError("the journey ended without a step; put what it does under `with step(…):`")

    def check_documents(self, since: float) -> None:
        """Raises HttpFailure for a document that was answered with an error status while no step was under way.

        `since`, in seconds since the epoch, is when the journey was called: a context can have been used before.
        """
        windows = [ended.window for ended in self._ended]
        for answer in self._probe.documents_answered(Window(since, math.inf)):
            if (answer.status or 0) >= 400 and not any(since + answer.at_seconds in window for window in windows):
                failure = _http_failure(answer, None)
                hint = f"it was loaded outside of the steps; for a page that is meant to, write a step with allow_status={{{answer.status}}}"
                self.fatal = replace(failure, message=f"{failure.message}\n{hint}")
                raise HttpFailure(self.fatal.message)

    @contextmanager
    def _step(self, name: str, budget: str | float | None, soft: bool, allow_status: Collection[int]) -> Iterator[None]:
        if name in self._not_entered:  # a decorated function begins its step at each call
            self._not_entered.remove(name)
        self._check(name)
        index = len(self._ended)
        budget_seconds = None if budget is None else parse_duration(budget)
        self._on_start(name, index)
        self._probe.step_started(name)
        self._running = name
        self._pictured.clear()
        self._asked = None
        started, started_wall = time.time(), time.perf_counter()
        raised: BaseException | None = None
        try:
            yield
        except BaseException as error:
            if isinstance(error, GeneratorExit) and error.__traceback__ and error.__traceback__.tb_next is None:
                # Raised here, and not in the block: nobody holds the step any more, which was entered by hand and will never be left.
                self._running, self._not_left = None, name
                raise
            raised = error
        wall = time.perf_counter() - started_wall
        # Every line below comes after the end of the step has been stamped: nothing of it is counted.
        self._running = None
        exposed = self._find_exposed_error(raised)
        heard = exposed.error if exposed else self._take_listener_error(raised)
        window = Window(started, started + wall)
        reading = self._probe.read_clock(window, wall, raised is not None, self._pictured)
        failure = self._judge(heard or raised, name, window, allow_status)
        if failure is not None:
            failure = replace(failure, message=self._add_causes(failure.message, raised, exposed, heard))
        status = status_of(failure)
        if failure is not None:
            reading = Reading(seconds=wall, clock="stopwatch")
        result = StepResult(
            name=name,
            index=index,
            status=status,
            started_at=datetime.fromtimestamp(started, UTC),
            latency_seconds=round(reading.seconds, 6),
            wall_seconds=round(max(wall, reading.seconds), 6),
            clock=reading.clock,
            cause=reading.cause,
            cause_at_seconds=reading.at,
            ended_by=reading.ended_by,
            waited_seconds=reading.waited,
            soft=soft,
            budget_seconds=budget_seconds,
            failure=failure,
        )
        self._ended.append(_Ended(result, window))
        self._on_end(self._with_findings(self._ended[-1]))
        if failure is None:
            self._ended[-1] = replace(self._ended[-1], audit=self._audit(name, self._asked))
            return
        # What is not an Exception (the run's deadline, Ctrl-C) ends the journey in a soft step too.
        if soft and status == "failed" and (raised is None or isinstance(raised, Exception)):
            self.soft_failure = self.soft_failure or failure
            return
        self.fatal = failure
        raise raised or heard or HttpFailure(failure.message)

    def _take_listener_error(self, raised: BaseException | None) -> BaseException | None:
        """What a listener or a route handler of the journey has raised, unless the step has ended for another reason."""
        # What was still under way when the journey closed a page has nothing to say.
        heard = [one for one in self._probe.heard if not (isinstance(one, PlaywrightError) and "closed" in str(one))]
        self._probe.heard.clear()
        waited = raised is None or isinstance(raised, PlaywrightTimeout | DeadlineReached | AssertionError)
        return heard[0] if heard and waited else None

    def _find_exposed_error(self, raised: BaseException | None) -> ExposedError | None:
        """What an exposed function of the journey has raised, if that is what the page passed on."""
        if type(raised) is not PlaywrightError:
            return None
        words = raised.message.partition("\n")[0]
        return next((one for one in self._probe.exposed if str(one.error).partition("\n")[0] in words), None)

    def _add_causes(
        self, message: str, raised: BaseException | None, exposed: ExposedError | None, heard: BaseException | None
    ) -> str:
        """The message of a failure, with the part that the journey's own functions have in it."""
        if exposed is not None:
            return f"{message}\nraised by the function {exposed.function!r} that the journey exposes to its pages"
        if heard is not None and raised is not None:
            return f"{message}\nso the step waited: {trim_message(str(raised))}"
        if self._probe.exposed and isinstance(raised, PlaywrightTimeout | DeadlineReached | AssertionError):
            one = self._probe.exposed[0]
            words = trim_message(f"{type(one.error).__name__}: {one.error}").partition("\n")[0]
            return f"{message}\nmeanwhile the function {one.function!r} that the journey exposes to its pages raised {words}"
        return message

    def _check(self, name: str) -> None:
        if get_ident() != self._thread:
            raise StepError(
                f"step {name!r} begins in the thread {current_thread().name!r}; Playwright works in the journey's own thread only: "
                "begin the step there"
            )
        if self._running is not None:
            raise StepError(f"step {name!r} begins inside step {self._running!r}; end that step first: steps cannot be nested")
        if any(ended.result.name == name for ended in self._ended):
            raise StepError(f"a step named {name!r} has already run in this journey; give each step its own name")

    def _judge(self, raised: BaseException | None, name: str, window: Window, allow_status: Collection[int]) -> Failure | None:
        bad = next(
            (
                answer
                for answer in reversed(self._probe.documents_answered(window))
                if (answer.status or 0) >= 400 and answer.status not in allow_status
            ),
            None,
        )
        failure = None
        if raised is not None:
            failure = explain_failure(
                raised, self._file, self._probe.crashed, self._probe.connected, self._probe.starved, self._probe.obstacle
            )
            failure = replace(failure, step=name, url=failure.url or self._probe.url)
        if bad is None or (failure is not None and failure.kind not in SITE):
            return failure
        http = _http_failure(bad, name)
        if failure is None or http.kind == "monitor":
            return http
        return replace(failure, kind="http", message=f"{http.message}\n{failure.message}", url=bad.url)

    def _with_findings(self, ended: _Ended) -> StepResult:
        found = self._probe.findings(ended.window)
        signals = dict(found.signals)
        if ended.audit is not None:
            others = signals.get("signals", {})
            signals["signals"] = {**others, SIGNAL: to_builtins(ended.audit)}
        return replace(
            ended.result,
            navigations=found.navigations,
            vitals=found.vitals,
            requests=found.requests,
            page_errors=found.page_errors,
            **signals,
        )

    def results(self, known: Collection[str] = ()) -> tuple[StepResult, ...]:
        """All steps with everything that is known so far; those of `known` that did not run are `skipped`."""
        results = [self._with_findings(ended) for ended in self._ended]
        names = {result.name for result in results}
        missed = [name for name in known if name not in names]
        return (*results, *skipped(missed, len(results)))


def _http_failure(answer: Request, step: str | None) -> Failure:
    message = f"HTTP {answer.status} from {answer.url}"
    if answer.status == 407:  # RFC 9110, 15.5.8: only a proxy answers so
        message = f"{message}: the proxy requires a user and a password; set http_proxy to http://USER:PASSWORD@HOST:PORT"
        return Failure(kind="monitor", message=message, step=step, url=answer.url)
    return Failure(kind="http", message=message, step=step, url=answer.url)


class HttpFailure(AssertionError):
    """A step's code ran to its end, but its document answered with an error status."""
