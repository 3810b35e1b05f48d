"""From a stored run to messages: a change is sent once, and again while it lasts."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from runner.archive.archive import Saved
from runner.result import RunResult
from runner.scheduler.alerts.confirmation import Confirmation, Confirmations, Outcome
from runner.scheduler.alerts.rules import HISTORY, Rules, judge
from runner.scheduler.alerts.several_places import judge_places
from runner.settings.duration import show_duration_roughly
from runner.settings.sections.quarantine import describe_quarantine
from runner.settings.settings import Settings
from runner.store import Store
from runner.store.alerts.alerts import AlertKind, OpenAlert
from runner.store.alerts.mutes import Mute
from runner.store.scheduling.locations import read_locations

WORDS: dict[AlertKind, tuple[str, str]] = {
    "failing": ("is failing", "has recovered"),
    "monitor": ("cannot be monitored", "is monitored again"),
    "flaky": ("is flaky", "is no longer flaky"),
    "budget": ("is over its budget", "is within its budget again"),
    "files": ("Journeys cannot be read", "Journeys can be read again"),
    "location": ("does not answer", "answers again"),
    "regression": ("A resolved error came again", "All errors that came again are decided about"),
}
EVERYWHERE = ""
"""The location of an alert about a journey that fails at several places."""
log = logging.getLogger("journey.alerts")


class Message(Struct, frozen=True):
    """What is sent."""

    title: str
    body: str
    bad: bool


class AlertEvaluator:
    """Evaluates the rules for each stored run and stores messages for `targets`; `wake` is called when there are new ones.

    `places` gives the places of a journey; `count` gets journey, place and outcome of each confirmation.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        targets: tuple[str, ...],
        pause_reason: Callable[[str, datetime], str],
        wake: Callable[[], None],
        places: Callable[[str], tuple[str, ...]] = lambda _: (),
        count: Callable[[str, str, Outcome], None] = lambda _journey, _location, _outcome: None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._targets = targets
        self._pause_reason = pause_reason
        self._wake = wake
        self._places = places
        self._count = count
        self.confirmations = Confirmations(settings, store, places, self.settle)

    def evaluate_run(self, saved: Saved) -> None:
        """Stores messages about what the run has changed. Raises StoreDown; then the next run shows the same change."""
        self._evaluate(saved, None)

    def resume(self, newest: Saved) -> None:
        """Takes up the confirmation of a failure that a scheduler before has asked for, if it may still be open. Raises StoreDown."""
        result, now = newest.result, datetime.now(UTC)
        recent = now - result.ended_at < timedelta(seconds=2 * self._settings.confirm_within)
        if result.status == "failed" and recent and self.confirmations.wanted(result):
            self._evaluate(newest, None)

    def settle(self, saved: Saved, confirmation: Confirmation) -> None:
        """Stores messages about a failure now that another run has confirmed it or not. Raises StoreDown."""
        result = saved.result
        self._count(result.journey, result.location, confirmation.outcome)
        only = f"{result.journey} fails at {result.location} only" if confirmation.outcome == "refuted" else result.journey
        log.info("%s: run %s was %s", only, result.id, confirmation.describe(), extra={"journey": result.journey})
        self._evaluate(saved, confirmation)

    def _evaluate(self, saved: Saved, confirmation: Confirmation | None) -> None:
        result = saved.result
        now = datetime.now(UTC)
        # A failure in a maintenance window is expected; the first run after the window shows whether it lasts.
        if result.status in {"cancelled", "skipped"} or self._pause_reason(result.journey, now):
            return
        if result.set_aside and result.status != "passed":
            return  # it is known, and somebody is looking after it
        here = self._store.alerts.open(result.journey, result.location)
        everywhere = self._store.alerts.open(result.journey, EVERYWHERE)
        past = self._store.alerts.past_runs(result.journey, result.location, HISTORY)
        wrong = judge(past, self._rules(confirmation), frozenset(here))
        confirms = self.confirmations.wanted(result) and "failing" not in here.keys() | everywhere.keys()
        if confirms and confirmation is None and result.status == "failed":
            self.confirmations.ask(saved)
        if confirms and (confirmation is None or confirmation.outcome == "refuted"):
            wrong.pop("failing", None)
        notes = [confirmation.describe()] if confirmation is not None else []
        if self._needs_several(result.journey):
            wrong.pop("failing", None)
            self._evaluate_places(result, everywhere, notes, now)
        elif "failing" in everywhere:
            # The setting was changed: from now on each place has an alert of its own.
            self._announce(result, EVERYWHERE, {}, everywhere, notes, now)
        self._announce(result, result.location, wrong, here, notes, now)

    def _needs_several(self, journey: str) -> bool:
        rule = self._settings.alert_locations
        return len(self._places(journey)) > 1 and rule.needed(len(self._places(journey))) > 1

    def _evaluate_places(self, result: RunResult, is_open: dict[AlertKind, OpenAlert], notes: list[str], now: datetime) -> None:
        """Whether the journey fails at as many places as it takes; those that are down have no say."""
        with self._store.snapshot() as connection:
            down = {one.location for one in read_locations(connection, now) if not one.up}
        places = [one for one in self._places(result.journey) if one not in down or one == result.location]
        failing = [one for one in places if self._fails_at(result, one, "failing" in is_open, now)]
        verdict = judge_places(failing, places, self._settings.alert_locations)
        wrong: dict[AlertKind, str] = {"failing": f"it {verdict.describe()}"} if verdict.fails else {}
        self._announce(result, EVERYWHERE, wrong, is_open, notes, now, ", ".join(verdict.failing))

    def _fails_at(self, result: RunResult, place: str, is_open: bool, now: datetime) -> bool:
        past = self._store.alerts.past_runs(result.journey, place, HISTORY)
        confirmation = None
        if past and past[0].status == "failed" and self.confirmations.wanted(result) and not is_open:
            confirmation = self.confirmations.outcome(past[0].id, now)
            if confirmation is None or confirmation.outcome == "refuted":
                return False
        known: frozenset[AlertKind] = frozenset({"failing"}) if is_open else frozenset()
        return "failing" in judge(past, self._rules(confirmation), known)

    def _announce(
        self,
        result: RunResult,
        location: str,
        wrong: dict[AlertKind, str],
        is_open: dict[AlertKind, OpenAlert],
        notes: list[str],
        now: datetime,
        where: str = "",
    ) -> None:
        """Stores what has begun, lasts or has ended at a place, of which messages say that it is `where`."""
        where = where or location or ", ".join(self._places(result.journey)) or result.location
        mutes = self._store.mutes.of_journey(result.journey, location)
        for kind, why in wrong.items():
            known, mute = is_open.get(kind), mutes.get(kind)
            # What was acknowledged was an alert that has ended; this is another one.
            muted = mute is not None and mute.holds(now) and not (known is None and mute.until is None)
            again = known is not None and now - known.told_at >= timedelta(seconds=self._settings.alert_again)
            if known is None or (not muted and (again or mute is not None)):
                message = self._bad(result, kind, why, known is not None, where, notes if kind == "failing" else [])
                self._record(
                    result.journey, location, kind, message, now, result.id, muted, None if muted else mute, known is not None
                )
        for kind in is_open.keys() - wrong.keys() - {"files", "location"}:
            mute = mutes.get(kind)
            muted = mute is not None and mute.until is not None and mute.holds(now)
            message = self._good(result, kind, is_open[kind].opened_at, where)
            self._record(result.journey, location, kind, message, now, result.id, muted, None if muted else mute, True)

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

    def _rules(self, confirmation: Confirmation | None) -> Rules:
        settings = self._settings
        after = settings.alert_after
        if confirmation is not None and confirmation.outcome == "confirmed":
            after = min(after, max(after - 1, 1))  # the run that has confirmed the failure is one of those in a row
        return Rules(
            after=after,
            of=settings.alert_of,
            monitor_after=settings.alert_monitor_after,
            flaky_share=settings.alert_flaky,
            budget_after=settings.alert_budget_after,
        )

    def _bad(self, result: RunResult, kind: AlertKind, why: str, again: bool, where: str, notes: list[str]) -> Message:
        still = "still " if again else ""
        lines = [f"{why}.", *notes]
        failure = result.failure
        if failure is not None:
            step = f" in step {failure.step!r}" if failure.step else ""
            lines.append(f"{failure.kind}{step}: {failure.message}")
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
        return Message(f"{title} ({where})", "\n".join([*lines, *self._links(result)]), True)

    def _good(self, result: RunResult, kind: AlertKind, since: datetime, where: str) -> Message:
        late = result.ended_at < since
        until = datetime.now(UTC) if late else result.ended_at
        lines = [_describe_span(since, until), *self._links(result)]
        if late:
            lines.insert(0, "The run had ended before the alert; its result came only now.")
        lasted = show_duration_roughly((until - since).total_seconds())
        return Message(f"{result.journey} {WORDS[kind][1]} after {lasted} ({where})", "\n".join(lines), False)

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
