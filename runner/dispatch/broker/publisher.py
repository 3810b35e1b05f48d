"""Durable messages to a broker, several at a time: each wait is for the broker's disk, which takes many as quickly as a single one."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from kombu import Connection

AT_ONCE = 100
"""Messages that are on the way at a time; all of them are sent again when the connection breaks meanwhile."""
PERSISTENT = 2
LOOK = 1.0
"""Seconds between two looks at whether the broker is still there, while it is waited for."""


class Parcel(Struct, frozen=True):
    """A message for a queue, which must have been declared."""

    queue: str
    body: bytes
    headers: Mapping[str, Any] = {}
    properties: Mapping[str, Any] = {}


class Publisher:
    """Publishes through a connection that is open. Whatever `publish` raises, the connection is not to be used any more."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._confirms = _Confirms(connection) if connection.transport.driver_type == "amqp" else None

    def publish(self, parcels: Sequence[Parcel]) -> None:
        """Returns when the broker has all of them on its disk, in this order.

        When it raises, each of them may have been delivered or not.
        """
        if self._confirms is not None:
            self._confirms.publish(parcels)
            return
        from kombu import Producer

        producer = Producer(self._connection.default_channel)
        with producer.batch(AT_ONCE):
            for one in parcels:
                producer.publish(
                    one.body,
                    routing_key=one.queue,
                    content_type="application/json",
                    content_encoding="utf-8",
                    headers=dict(one.headers),
                    **one.properties,
                )


class _Confirms:
    """Publishing to RabbitMQ: the client library can wait for one message at a time only, or for none."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._channel: Any = connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._note_kept)
        self._channel.events["basic_nack"].add(self._note_rejected)
        self._last = 0
        self._open: set[int] = set()
        self._rejected = 0

    def publish(self, parcels: Sequence[Parcel]) -> None:
        for one in parcels:
            message = self._channel.prepare_message(
                one.body,
                content_type="application/json",
                content_encoding="utf-8",
                headers=dict(one.headers),
                properties={"delivery_mode": PERSISTENT, **one.properties},
            )
            self._last += 1
            self._open.add(self._last)
            # That of the class: with `confirm_publish` a channel's own waits for each message.
            # `mandatory`: a queue that is not there is an error.
            type(self._channel).basic_publish(self._channel, message, exchange="", routing_key=one.queue, mandatory=True)
        while self._open:
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=LOOK)
            if self._connection.supports_heartbeats:
                self._connection.heartbeat_check()
        if self._rejected:
            raise ConnectionError(f"the broker has rejected {self._rejected} messages")

    def _note_kept(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._open = {one for one in self._open if one > tag}
        else:
            self._open.discard(tag)

    def _note_rejected(self, tag: int, multiple: bool) -> None:
        before = len(self._open)
        self._note_kept(tag, multiple)
        self._rejected += before - len(self._open)
