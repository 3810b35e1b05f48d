"""From a stored run to messages: a change is sent once, and again while it lasts."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from runner.archive.archive import Saved
from runner.result import RunResult
from runner.scheduler.alerts.rules import HISTORY, Rules, judge
from runner.settings.duration import show_duration_roughly
from runner.settings.sections.quarantine import describe_quarantine
from runner.settings.settings import Settings
from runner.store import Store
from runner.store.alerts.alerts import AlertKind
from runner.store.alerts.mutes import Mute

WORDS: dict[AlertKind, tuple[str, str]] = {
    "failing": ("is failing", "has recovered"),
    "monitor": ("cannot be monitored", "is monitored again"),
    "flaky": ("is flaky", "is no longer flaky"),
    "budget": ("is over its budget", "is within its budget again"),
    "files": ("Journeys cannot be read", "Journeys can be read again"),
    "location": ("does not answer", "answers again"),
    "regression": ("A resolved error came again", "All errors that came again are decided about"),
}
log = logging.getLogger("journey.alerts")


class Message(Struct, frozen=True):
    """What is sent."""

    title: str
    body: str
    bad: bool


class AlertEvaluator:
    """Evaluates the rules for each stored run and stores messages for `targets`; `wake` is called when there are new ones."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        targets: tuple[str, ...],
        pause_reason: Callable[[str, datetime], str],
        wake: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._targets = targets
        self._pause_reason = pause_reason
        self._wake = wake

    def evaluate_run(self, saved: Saved) -> None:
        """Stores messages about what the run has changed. Raises StoreDown; then the next run shows the same change."""
        result = saved.result
        now = datetime.now(UTC)
        # A failure in a maintenance window is expected; the first run after the window shows whether it lasts.
        if result.status in {"cancelled", "skipped"} or self._pause_reason(result.journey, now):
            return
        if result.set_aside and result.status != "passed":
            return  # it is known, and somebody is looking after it
        is_open = self._store.alerts.open(result.journey, result.location)
        past = self._store.alerts.past_runs(result.journey, result.location, HISTORY)
        wrong = judge(past, self._rules, frozenset(is_open))
        mutes = self._store.mutes.of_journey(result.journey, result.location)
        for kind, why in wrong.items():
            known, mute = is_open.get(kind), mutes.get(kind)
            # What was acknowledged was an alert that has ended; this is another one.
            muted = mute is not None and mute.holds(now) and not (known is None and mute.until is None)
            again = known is not None and now - known.told_at >= timedelta(seconds=self._settings.alert_again)
            if known is None or (not muted and (again or mute is not None)):
                message = self._bad(result, kind, why, known is not None)
                self._send(result, kind, message, now, muted, None if muted else mute)
        for kind in is_open.keys() - wrong.keys() - {"files"}:
            mute = mutes.get(kind)
            muted = mute is not None and mute.until is not None and mute.holds(now)
            message = self._good(result, kind, is_open[kind].opened_at)
            self._send(result, kind, message, now, muted, None if muted else mute)

    def evaluate_files(self, problems: str) -> None:
        """Stores a message when files of journeys have become broken, or can be used again. Raises StoreDown."""
        now = datetime.now(UTC)
        known = self._store.alerts.open("", self._settings.location).get("files")
        if bool(problems) != (known is not None):
            words = WORDS["files"]
            message = Message(words[0], problems, True)
            if known is not None:
                message = Message(words[1], _describe_span(known.opened_at, now), False)
            self._record("", self._settings.location, "files", message, now, None, False, None)

    def evaluate_location(self, location: str, up: bool, seen_at: datetime | None, now: datetime) -> None:
        """Stores a message when nothing has been heard of a place, or when it is back. Raises StoreDown."""
        known = self._store.alerts.open("", location).get("location")
        if up != (known is not None):
            return
        words = WORDS["location"]
        if known is not None:
            body = _describe_span(known.opened_at, now)
            message = Message(f"The location {location} {words[1]}", body, False)
        else:
            heard = f"since {seen_at:%Y-%m-%d %H:%M:%S}Z" if seen_at else "since this scheduler began"
            message = Message(
                f"The location {location} {words[0]}",
                f"Nothing was heard of its scheduler or its workers {heard}. Journeys are not walked there: this says nothing about the site.",
                True,
            )
        self._record("", location, "location", message, now, None, False, None, was_open=known is not None)

    def _send(
        self, result: RunResult, kind: AlertKind, message: Message, now: datetime, muted: bool, after: Mute | None
    ) -> None:
        self._record(result.journey, result.location, kind, message, now, result.id, muted, after)

    def _record(
        self,
        journey: str,
        location: str,
        kind: AlertKind,
        message: Message,
        now: datetime,
        run: str | None,
        muted: bool,
        after: Mute | None,
        was_open: bool | None = None,
    ) -> None:
        """Stores the change of an alert, and, unless it is muted, messages about it; `after` is the mute that has ended."""
        targets = () if muted else self._targets
        if not self._store.alerts.record(
            journey, location, kind, message.title, message.body, message.bad, targets, now, run, after, was_open
        ):
            return
        log.log(
            logging.WARNING if message.bad else logging.INFO,
            "alert%s: %s",
            " (muted)" if muted else "",
            message.title,
            extra={"journey": journey, "kind": kind},
        )
        self._wake()

    @property
    def _rules(self) -> Rules:
        settings = self._settings
        return Rules(
            after=settings.alert_after,
            of=settings.alert_of,
            monitor_after=settings.alert_monitor_after,
            flaky_share=settings.alert_flaky,
            budget_after=settings.alert_budget_after,
        )

    def _bad(self, result: RunResult, kind: AlertKind, why: str, again: bool) -> Message:
        still = "still " if again else ""
        lines = [f"{why}."]
        failure = result.failure
        if failure is not None:
            where = f" in step {failure.step!r}" if failure.step else ""
            lines.append(f"{failure.kind}{where}: {failure.message}")
            lines += [f"at {failure.file}:{failure.line}: {failure.code}"] if failure.file else []
            lines += [f"on {failure.url}"] if failure.url else []
        lines += [
            f"step {step.name!r}: {step.latency_seconds:.3f} s, budget {step.budget_seconds:g} s"
            for step in result.steps
            if step.over_budget and kind == "budget"
        ]
        if kind == "budget":
            lines += [
                f"{one.step or 'the journey'}: {one.figure} {one.value:g}, budget {one.bound:g} ({one.where})"
                for one in result.overruns
            ]
        lines += [describe_quarantine(one) for one in result.quarantine if one.over]
        words = WORDS[kind][0]
        title = f"{result.journey} {words.replace('is ', f'is {still}', 1) if still else words}"
        return Message(f"{title} ({result.location})", "\n".join([*lines, *self._links(result)]), True)

    def _good(self, result: RunResult, kind: AlertKind, since: datetime) -> Message:
        lines = [_describe_span(since, result.ended_at), *self._links(result)]
        lasted = show_duration_roughly((result.ended_at - since).total_seconds())
        return Message(f"{result.journey} {WORDS[kind][1]} after {lasted} ({result.location})", "\n".join(lines), False)

    def _links(self, result: RunResult) -> list[str]:
        lines = [f"run {result.id}, ended {result.ended_at:%Y-%m-%d %H:%M:%S}Z"]
        if any(one.kind == "trace" for one in result.artifacts):
            lines.append(f"its trace: journey trace {result.id}")
        if self._settings.public_url is not None:
            # To the step that failed, with the way to the trace below it; else to what each step took.
            place = "why" if result.failure else "steps"
            lines.append(f"{self._settings.public_url.rstrip('/')}/runs/{result.id}#{place}")
        return lines


def _describe_span(since: datetime, until: datetime) -> str:
    lasted = show_duration_roughly((until - since).total_seconds())
    return f"It lasted {lasted}, from {since:%Y-%m-%d %H:%M:%S}Z to {until:%Y-%m-%d %H:%M:%S}Z."
