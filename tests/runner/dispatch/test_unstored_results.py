"""A scheduler that is killed with a result that it has received and not stored: the next one gets it."""

from collections.abc import Callable

import pytest

from runner.dispatch.broker import application
from runner.dispatch.broker.application import make_app
from runner.dispatch.broker.receiver import Delivery, Receiver
from runner.dispatch.messages import Ended
from tests.runner.dispatch.test_given_up import result
from tests.runner.dispatch.test_messages_again import Client
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon
from tests.support.wait import wait_until


@pytest.mark.long
def test_a_result_that_was_received_and_not_acknowledged_comes_to_the_next_scheduler(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "RESULT_VISIBILITY", 1)
    client = Client(new_broker("redis"), daemon)
    settings = client._settings

    def receive(into: list[bytes]) -> Receiver:
        def take(body: bytes, _: Delivery) -> None:
            into.append(body)

        receiver = Receiver(make_app(settings), settings, take, lambda _: None)
        # As one that is killed: what it has is not given back.
        for one in receiver._connections:
            monkeypatch.setattr(one, "_acknowledge", lambda: None)
        receiver.start()
        return receiver

    first: list[bytes] = []
    second: list[bytes] = []
    dead = receive(first)
    client.send_result(Ended(result=result(), worker="far"))
    wait_until(lambda: first, "the first scheduler has the result", 60)
    following = receive(second)
    try:
        # Whichever looks first puts it back, and either may get it then.
        wait_until(lambda: second or len(first) > 1, "it comes again", 60)
    finally:
        for one in (dead, following):
            one.stop(20.0)
