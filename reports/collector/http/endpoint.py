"""The HTTP around everything that is taken in: method, sender, size, answer, and the headers that browsers look for."""

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reports.collector.admission.intake import Incoming, Intake
from reports.collector.errors import Refusal
from reports.collector.http import cors
from reports.collector.http.body import Limits, Receive, read_body, unpack_body, unpack_small_body

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
NUL = (b"\\u0000", b"\\ufffd")
"""PostgreSQL has no character NUL, and no text needs one: another stands for it, of the same length in JSON."""

SMALL = Limits(raw=65_536, inflated=65_536)
"""Bytes of a body that is inflated at once, as sent and inflated; a larger one in a thread, so that others do not wait for it."""


class Answer(Struct, frozen=True):
    """The answer to a sender; a body is JSON."""

    status: int = 202
    body: bytes = b""


Take = Callable[[Incoming], Awaitable[Answer]]


class IngestEndpoint:
    """An ASGI application for one address: gives the body of each POST to `take`, which raises Refusal for what it does not want."""

    def __init__(self, intake: Intake, take: Take, limits: Limits | None = None) -> None:
        self._intake = intake
        self._take = take
        self._limits = limits or Limits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        metrics = self._intake.metrics
        headers: dict[bytes, bytes] = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        admitted = bool(origin) and origin in self._intake.register.origins
        client = scope.get("client")
        network = self._intake.networks.of_request(client[0] if client else "", scope["headers"])
        metrics.in_flight += 1
        try:
            if scope["method"] == "OPTIONS":
                await _send(send, 204, b"", cors.answer_preflight(origin, admitted))
                return
            try:
                answer = await self._answer(scope, headers, origin, network, receive)
                more: cors.Headers = []
            except Refusal as refusal:
                self._intake.refuse(refusal, network)
                admitted = admitted and refusal.reason != "wrong_origin"
                answer = Answer(refusal.status, msgspec.json.encode(refusal.body()))
                more = _told(refusal)
            await _send(send, answer.status, answer.body, [*cors.cors_headers(origin, admitted), *more])
        finally:
            metrics.in_flight -= 1

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], origin: str, network: str, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            raise Refusal(405, "method", f"{scope['method']} is not taken here", fix="send a POST")
        intake = self._intake
        intake.greet(origin)
        with intake.room.reserve(network) as take_room:
            packed = await read_body(receive, headers.get(b"content-length", b""), self._limits, take_room)
            incoming = Incoming(packed, scope["query_string"].decode("latin-1"), headers, origin, network, packed)
            encoding = headers.get(b"content-encoding", b"")
            body = unpack_small_body(packed, encoding, SMALL) if len(packed) <= SMALL.raw else None
            if body is not None:
                return await self._take(self._unpacked(incoming, body))
            async with intake.large_body(network) as charge:
                try:
                    body = await asyncio.to_thread(unpack_body, packed, encoding, self._limits)
                except Refusal:
                    charge(self._limits.inflated)
                    raise
                charge(len(body))
                return await self._take(self._unpacked(incoming, body))

    def _unpacked(self, incoming: Incoming, body: bytes) -> Incoming:
        self._intake.metrics.bytes.add((), len(body))
        return replace(incoming, body=body.replace(*NUL) if NUL[0] in body else body)


def _told(refusal: Refusal) -> cors.Headers:
    more: cors.Headers = [(b"x-content-type-options", b"nosniff")]
    if refusal.retry_after:
        more.append((b"retry-after", str(math.ceil(refusal.retry_after)).encode()))
    if refusal.status == 405:
        more.append((b"allow", cors.METHODS))
    return more


async def _send(send: Send, status: int, body: bytes, headers: cors.Headers) -> None:
    if status != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    if body:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
