"""When a run elsewhere is given up, what its messages look like, and what may be in an order."""

from concurrent.futures import CancelledError
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from runner.archive.run_id import run_id
from runner.bundles.packed_plan import strip_plan
from runner.dispatch.health import SILENT, WorkerHealth
from runner.dispatch.in_flight import LOST_AFTER, MARGIN, InFlight
from runner.dispatch.messages import (
    PROTOCOL,
    Begun,
    Clock,
    Envelope,
    Expired,
    Happened,
    Heartbeat,
    NotSigned,
    RunOrder,
    WrongProtocol,
    read_message,
    write_message,
)
from runner.dispatch.orders import OrderWriter, fill_plan, fill_plan_in_time
from runner.dispatch.worker.run_news import LARGEST, MOST, RunNews
from runner.dispatch.worker.scheduler_clock import SchedulerClock
from runner.dsl.context_plan import ContextPlan
from runner.dsl.plan import Plan
from runner.errors import ConfigError, StorageDown
from runner.events import RunStarted, StepStarted
from runner.result import Trigger
from runner.settings.load_settings import load_settings
from runner.settings.secrets import Secret
from runner.workers.run_state import Slot

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class World:
    """A clock that is set by hand, workers, and runs elsewhere."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.health = WorkerHealth(lambda: self.now, lambda: self.now)
        self.flying = InFlight(self.health, lambda: self.now)

    def beat(self, worker: str = "a", *runs: str, ahead: float = 0.0, **more: Any) -> None:
        """A heartbeat of a worker."""
        at = datetime.fromtimestamp(self.now + ahead, UTC)
        beat = Heartbeat(worker=worker, location="oregon", version="1", sent_at=at, runs=runs, **more)
        self.health.hear(beat)
        self.flying.hear(beat)

    def send(self, journey: str = "buy") -> str:
        """Sends a run that may begin within a minute."""
        run = run_id()
        self.flying.add(plan(journey=journey), Slot(NOW, run, NOW), 60.0)
        return run


@pytest.fixture
def world() -> World:
    """With no worker."""
    return World()


def plan(**more: object) -> Plan:
    """A plan for oregon."""
    return Plan(**{"journey": "buy", "file": Path("/j.py"), "location": "oregon", **more})  # type: ignore[arg-type]


def test_a_run_that_has_not_begun_is_given_up_when_it_may_not_begin_any_more(world: World) -> None:
    run = world.send()
    world.now += 60 + MARGIN - 1
    assert world.flying.give_up() == []
    world.beat()
    world.now += 1
    (given,) = world.flying.give_up()
    assert (given.run, given.status, given.nobody_there) == (run, "cancelled", False)
    assert "no worker was free" in given.message


def test_without_a_worker_there_was_no_run(world: World) -> None:
    world.send()
    world.now += 60 + MARGIN
    (given,) = world.flying.give_up()
    assert given.nobody_there


def test_a_run_is_given_up_when_its_worker_is_silent(world: World) -> None:
    run = world.send()
    world.beat()
    world.flying.begin(Begun(run=run, worker="a"))
    world.now += SILENT + 1
    (given,) = world.flying.give_up()
    assert given.status == "error"
    assert "the worker a at oregon was not heard of for 31 s" in given.message
    assert world.flying.get(run) is None


def test_a_run_that_takes_long_is_not_given_up_while_its_worker_names_it(world: World) -> None:
    run = world.send()
    for _ in range(1000):
        world.beat("a", run)
        world.now += 5
        assert world.flying.give_up() == []


def test_a_worker_that_no_longer_has_a_run_has_lost_it(world: World) -> None:
    run = world.send()
    world.beat("a", run)
    while world.now < 1000 + LOST_AFTER:
        world.now += 5
        world.beat("a")
        assert world.flying.give_up() == []
    world.now += 1
    (given,) = world.flying.give_up()
    assert "no longer has the run" in given.message


def test_another_worker_goes_on_with_a_run_and_the_first_is_remembered(world: World) -> None:
    run = world.send()
    world.flying.begin(Begun(run=run, worker="a"))
    world.flying.begin(Begun(run=run, worker="b"))
    world.beat("a", run)
    known = world.flying.get(run)
    assert known is not None
    assert (known.worker, known.earlier) == ("b", ("a",))


def test_a_result_that_another_process_sends_is_waited_for_and_is_not_another_walk(world: World) -> None:
    begun, unknown = world.send(), world.send()
    world.flying.begin(Begun(run=begun, worker="a"))
    while world.now < 1000 + 60 + MARGIN + SILENT:
        world.now += 5
        world.beat("again", begun, unknown, sending=(begun, unknown))
        assert world.flying.give_up() == []
    known = world.flying.get(begun)
    assert known is not None
    assert (known.worker, known.earlier) == ("a", ())
    world.now += SILENT + MARGIN
    assert {one.run for one in world.flying.give_up()} == {begun, unknown}


def test_a_run_that_came_too_late_has_not_begun_although_a_heartbeat_has_named_it(world: World) -> None:
    late, copied, unknown = world.send(), world.send(), world.send()
    world.flying.begin(Begun(run=copied, worker="a"))
    world.beat("b", late, copied)
    assert world.flying.expire(late, "b") is not None
    assert world.flying.expire(copied, "b") is None
    known = world.flying.get(copied)
    assert known is not None
    assert (known.worker, known.earlier) == ("a", ())
    assert world.flying.expire(copied, "c") is None
    assert world.flying.expire(unknown, "c") is not None
    assert len(world.flying) == 1


def test_what_happens_in_a_run_counts_from_the_worker_that_has_it_now(world: World) -> None:
    run = world.send()
    step = StepStarted(run=run, journey="buy", attempt=1, name="open", index=0)
    counts, begun = world.flying.follow(Happened(run=run, worker="a", moment=step))
    assert counts
    assert begun is not None, "the message that it has begun may be lost"
    assert world.flying.follow(Happened(run=run, worker="a", moment=step)) == (True, None)
    world.flying.begin(Begun(run=run, worker="b"))
    assert world.flying.follow(Happened(run=run, worker="a", moment=step)) == (False, None)
    world.flying.end(run)
    assert world.flying.follow(Happened(run=run, worker="b", moment=step)) == (False, None)


@pytest.mark.parametrize(("trigger", "followed"), [("schedule", False), ("confirm", False), ("demand", True), ("smoke", True)])
def test_only_a_run_that_somebody_waits_for_is_followed(tmp_path: Path, trigger: Trigger, followed: bool) -> None:
    settings = load_settings(tmp_path, {}, {})
    order = read_message(OrderWriter(settings, "s").write(plan(), Slot(None, run_id(), NOW, trigger)))
    assert isinstance(order, RunOrder)
    assert order.followed == followed


def test_news_of_a_run_are_few_small_and_signed() -> None:
    key, told = Secret("a key of the tests"), list[bytes]()
    news = RunNews("r", "w", lambda message: write_message(message, "w", key), told.append)
    step = StepStarted(run="r", journey="buy", attempt=1, name="open", index=0)
    news(RunStarted(run="r", journey="buy"))
    news(replace(step, name="x" * LARGEST))
    assert told == []
    for _ in range(MOST + 5):
        news(step)
    assert len(told) == MOST
    assert read_message(told[0], key) == Happened(run="r", worker="w", moment=step)
    with pytest.raises(NotSigned):
        read_message(write_message(Happened(run="r", worker="w", moment=step), "w"), key)


def test_a_worker_that_leaves_takes_no_runs_and_is_alive(world: World) -> None:
    world.beat(leaving=True)
    assert not world.health.is_up("oregon")
    assert world.health.is_alive("a")


@pytest.mark.parametrize("ahead", [30.0, -30.0, 0.0])
def test_the_difference_of_clocks_is_known(world: World, ahead: float) -> None:
    for _ in range(3):
        world.beat(ahead=ahead)
        world.now += 5
    assert world.health.seconds_ahead("a") == pytest.approx(ahead)


def test_only_runs_that_have_not_begun_can_be_taken_back(world: World) -> None:
    begun, waiting, other = world.send(), world.send(), world.send("pay")
    world.flying.begin(Begun(run=begun, worker="a"))
    assert {one.slot.run for one in world.flying.not_begun()} == {waiting, other}
    assert [one.slot.run for one in world.flying.not_begun("pay")] == [other]


def test_messages_are_read_as_they_were_written_and_those_of_another_version_name_their_run() -> None:
    message = Expired(run="01", worker="a")
    written = write_message(message, "scheduler")
    assert read_message(written) == message
    other = msgspec.json.encode(Envelope(protocol=PROTOCOL + 1, kind="Expired", run="01", sender="b"))
    with pytest.raises(WrongProtocol) as refused:
        read_message(other)
    assert refused.value.envelope.run == "01"
    for wrong in (b"", b"{}", b"[]", b'{"protocol": 1, "kind": "Nothing"}', written[:-3]):
        with pytest.raises(msgspec.DecodeError):
            read_message(wrong)


def test_with_a_key_only_messages_that_it_has_signed_count() -> None:
    key, other = Secret("a key of the tests"), Secret("another key")
    message = Expired(run="01", worker="a")
    signed = write_message(message, "scheduler", key)
    assert read_message(signed, key) == message
    assert read_message(signed) == message, "who has no key reads it too"
    envelope = msgspec.json.decode(signed, type=Envelope)
    changed = [
        replace(envelope, kind="Begun"),
        replace(envelope, run="02"),
        replace(envelope, sender="another"),
        replace(envelope, body=msgspec.Raw(bytes(envelope.body).replace(b"01", b"02"))),
        replace(envelope, signature=""),
        replace(envelope, signature="ü"),
    ]
    for wrong in [
        write_message(message, "scheduler"),
        write_message(message, "scheduler", other),
        *map(msgspec.json.encode, changed),
    ]:
        with pytest.raises(NotSigned, match="bundle_key_file"):
            read_message(wrong, key)


def test_what_a_stranger_puts_into_the_queue_is_no_message_and_ends_nothing() -> None:
    key = Secret("a key of the tests")
    unsigned = msgspec.json.encode(Envelope(protocol=PROTOCOL + 1, kind="Expired", run="01", sender="b"))
    with pytest.raises(NotSigned):
        read_message(unsigned, key)
    nested = b"[" * 10_000 + b"]" * 10_000
    for wrong in (
        b'{"protocol": 1, "kind": "Taken", "body": ' + nested + b"}",
        b'{"protocol": 1, "kind": "Taken", "body": {"runs": ["01"], "more": ' + nested + b"}}",
        b'{"protocol": 1, "kind": "Heartbeat", "body": {"worker": "a", "location": "x", "version": "1", '
        b'"sent_at": "0001-01-01T00:00:00"}}',
    ):
        with pytest.raises(msgspec.DecodeError):
            read_message(wrong)


@pytest.mark.parametrize("run", ["../../journey", "a/b", "a\0", "..", "x" * 65])
def test_a_run_whose_id_would_be_a_path_is_no_message(run: str) -> None:
    """Of a worker, the answer to an order is a file that is named by the run."""
    for protocol in (PROTOCOL, PROTOCOL + 1):
        order = Envelope(protocol=protocol, kind="RunOrder", run=run)
        with pytest.raises(msgspec.ValidationError, match="not the id of a run"):
            read_message(msgspec.json.encode(order), Secret("a key of the tests"))
        with pytest.raises(msgspec.ValidationError, match="not the id of a run"):
            read_message(msgspec.json.encode(order))
    with pytest.raises(msgspec.ValidationError, match="not the id of a run"):
        read_message(
            msgspec.json.encode(
                Envelope(protocol=PROTOCOL, kind="Begun", body=msgspec.Raw(msgspec.json.encode({"run": run, "worker": "w"})))
            )
        )


def test_only_a_new_message_with_the_key_sets_the_time() -> None:
    key = Secret("a key of the tests")
    clock = SchedulerClock(key, lambda: 1_030.0)

    def say(now: float, sender: str = "one", signed_with: Secret | None = key) -> None:
        clock.hear(write_message(Clock(now=now, sender=sender), sender, signed_with).decode())

    say(1_000.0)
    assert clock.ahead == 30.0
    say(999.0)
    say(2_000.0, signed_with=None)
    say(2_000.0, signed_with=Secret("another key"))
    clock.hear("[" * 10_000)
    assert clock.ahead == 30.0
    say(1_005.0, "two")
    assert clock.ahead == 25.0, "another scheduler's clock is its own"
    say(1_010.0)
    assert clock.ahead == 20.0


def test_no_secret_is_in_an_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEY_SECRET_PW", "oolong-and-milk")
    settings = load_settings(tmp_path, {}, {})
    slot = Slot(NOW, run_id(), NOW)
    context = ContextPlan(proxy={"server": "p", "username": "u", "password": "oolong-and-milk", "bypass": ""})
    whole = plan(basic_auth=("ada", "oolong-and-milk"), headers={"X-Key": "oolong-and-milk"}, context=context)
    written = OrderWriter(settings, "s").write(whole, slot)
    assert "oolong" not in written
    assert strip_plan(whole).reads_options
    with pytest.raises(
        ConfigError, match="buy cannot be sent to oregon: a parameter or an option of it holds the value of a secret"
    ):
        OrderWriter(settings, "s").write(plan(params={"key": "oolong-and-milk"}), slot)
    with pytest.raises(ConfigError, match="base_url of buy contains a password"):
        OrderWriter(settings, "s").write(plan(base_url="https://ada:pw@shop.example"), slot)


def test_a_worker_has_its_own_secrets_and_names_those_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "j.py"
    file.touch()
    settings = load_settings(tmp_path, {"location": "oregon"}, {})
    order = RunOrder(
        run="01",
        plan=strip_plan(plan(file=file, secret_names=("PW",), secrets_dir=Path("/of/the/scheduler"))),
        slot_at=NOW,
        trigger="schedule",
        due_at=NOW,
        begin_by=NOW + timedelta(minutes=1),
        sent_at=NOW,
        version="1",
    )
    with ExitStack() as until, pytest.raises(ConfigError, match="secret 'PW' is not set at oregon"):
        fill_plan(order, settings, until)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "PW").write_text("oolong-and-milk")
    having = load_settings(tmp_path, {"location": "oregon", "secrets_dir": str(tmp_path / "secrets")}, {})
    with ExitStack() as until:
        filled, _ = fill_plan(order, having, until)
    assert filled.secrets_dir == tmp_path / "secrets"


@pytest.mark.parametrize("ends", ["answers", "late", "leaving"])
def test_a_storage_that_does_not_answer_is_waited_for_while_the_run_may_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    tries = 0

    def fill(order: RunOrder, *_: object) -> tuple[Plan, tuple[str, ...]]:
        nonlocal tries
        tries += 1
        if ends == "answers" and tries == 3:
            return order.plan, ()
        raise StorageDown("it does not answer")

    monkeypatch.setattr("runner.dispatch.orders.fill_plan", fill)
    monkeypatch.setattr("runner.dispatch.orders.PAUSE", 0.0)
    settings = load_settings(tmp_path, {}, {})
    order = read_message(OrderWriter(settings, "s").write(plan(), Slot(None, run_id(), NOW, "schedule")))
    assert isinstance(order, RunOrder)
    raised: dict[str, type[BaseException]] = {"late": StorageDown, "leaving": CancelledError}
    with pytest.raises(raised[ends]) if ends in raised else nullcontext(), ExitStack() as until:
        fill_plan_in_time(order, settings, until, lambda: ends == "late" and tries > 2, lambda: ends == "leaving" and tries > 2)
    assert tries == 3
