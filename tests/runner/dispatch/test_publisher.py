"""What a scheduler sends to a real broker: together, in order, and again when the broker is killed meanwhile."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from kombu import Connection

from runner.dispatch.broker.application import Names, make_app, runs_queue
from runner.dispatch.broker.publisher import AT_ONCE, Parcel, Publisher
from runner.dispatch.broker.sender import Revoke, Sender, SendRun
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from tests.support.services.brokers import Broker, Kind
from tests.support.wait import wait_until

KINDS = [pytest.param("redis", marks=pytest.mark.long), pytest.param("rabbitmq", marks=pytest.mark.thorough)]


def settings_for(broker: Broker, folder: Path) -> Settings:
    return load_settings(folder, {}, {"JOURNEY_BROKER": broker.url, "JOURNEY_BROKER_PASSWORD": broker.password})


def take_all(settings: Settings, location: str = "frankfurt") -> list[str]:
    """The ids of the runs in the queue of a location, in order."""
    names, found = Names(settings.queue_prefix), []
    with make_app(settings).connection_for_read() as connection:
        connection.ensure_connection(max_retries=10, timeout=30)
        queue = runs_queue(names, location)(connection.default_channel)
        queue.declare()
        while message := queue.get(no_ack=True):
            found.append(str(message.headers["id"]))
            assert json.loads(message.body)[0] == [f"order of {message.headers['id']}"]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_orders_are_sent_in_order_and_again_when_the_broker_is_killed_in_the_middle(
    tmp_path: Path, new_broker: Callable[[Kind], Broker], kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = new_broker(kind)
    settings = settings_for(broker, tmp_path)
    publish, batches = Publisher.publish, []

    def publish_and_lose(self: Publisher, parcels: list[Parcel]) -> None:
        batches.append(len(parcels))
        if len(batches) == 2:
            # A part of them is on its disk when it is killed, and nobody has heard of that.
            publish(self, parcels[:40])
            broker.kill()
        publish(self, parcels)

    monkeypatch.setattr(Publisher, "publish", publish_and_lose)
    runs = [f"run-{number:03}" for number in range(250)]
    sender = Sender(make_app(settings), settings, "scheduler")
    for run in runs:
        sender.put(SendRun(run, "frankfurt", f"order of {run}"))
    sender.start()
    try:
        wait_until(lambda: sender.down, "the outage is noticed", 60)
        assert sender.waiting == len(runs) - AT_ONCE, "nothing counts as sent that the broker has not confirmed"
        broker.start()
        wait_until(lambda: not sender.waiting, "all are sent", 60)
    finally:
        sender.stop(30)
    assert not sender.down
    assert max(batches) == AT_ONCE
    assert take_all(settings) == [*runs[:140], *runs[AT_ONCE:]], (
        "what was not confirmed is sent again, and counts once by its id"
    )


def test_runs_are_taken_back_after_they_are_sent_and_what_is_dropped_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(tmp_path, {}, {"JOURNEY_BROKER": "redis://127.0.0.1"})
    app = make_app(settings)
    app.conf.broker_url = app.conf.broker_write_url = "memory://"
    said: list[str] = []
    monkeypatch.setattr(Publisher, "publish", lambda _, parcels: said.extend(one.headers["id"] for one in parcels))
    monkeypatch.setattr(app.control, "revoke", lambda runs, connection: said.append(f"revoke {' '.join(runs)}"))  # noqa: ARG005
    monkeypatch.setattr(app.control, "broadcast", lambda *_, **__: None)
    sender = Sender(app, settings, "scheduler")
    for message in (SendRun("a", "x", ""), SendRun("b", "y", ""), SendRun("c", "x", "")):
        sender.put(message)
    sender.drop({"b"})
    sender.put(Revoke(("a", "b")))
    sender.put(SendRun("d", "x", ""))
    sender.start()
    wait_until(lambda: not sender.waiting, "all are sent")
    sender.stop(30)
    assert said == ["a", "c", "revoke a b", "d"]


@pytest.mark.thorough
def test_a_message_that_no_queue_takes_is_an_error(tmp_path: Path, new_broker: Callable[[Kind], Broker]) -> None:
    settings = settings_for(new_broker("rabbitmq"), tmp_path)
    connection: Connection
    with make_app(settings).connection_for_write() as connection:
        connection.ensure_connection(max_retries=10, timeout=30)
        with pytest.raises(connection.channel_errors, match="NO_ROUTE"):
            Publisher(connection).publish([Parcel("nobody", b"{}")])
