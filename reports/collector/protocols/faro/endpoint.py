"""`/faro/collect`: each message of the SDK as one of our beacons."""

import re
import time

import msgspec

from reports.collector.admission.anonymous_ids import AnonymousIds, new_id
from reports.collector.admission.app_policy import AppPolicy
from reports.collector.admission.intake import Incoming, Intake
from reports.collector.beacon import Beacon, View
from reports.collector.http.endpoint import Answer
from reports.collector.protocols.faro.convert import (
    clip_text,
    convert_views,
    earliest_moment,
    find_navigation,
    parse_moment,
    strip_query,
)
from reports.collector.protocols.faro.payload import Payload, decode
from reports.collector.protocols.native import parse_beacon, refuse_unreadable

TAKEN = Answer()
IDENTITY = re.compile(r"[A-Za-z0-9-]{8,70}")
PIXELS = 1_000_000


class FaroProtocol:
    """Takes the SDK's messages."""

    def __init__(self, intake: Intake, anonymous_ids: AnonymousIds) -> None:
        self._intake = intake
        self._anonymous_ids = anonymous_ids

    async def take(self, incoming: Incoming) -> Answer:
        """Answers when the message is on disk. Raises Refusal."""
        try:
            payload = decode(incoming.body)
        except (ValueError, RecursionError) as error:
            raise refuse_unreadable(error) from error
        site = self._site(payload, incoming)
        self._intake.admit(site, incoming.header(b"x-api-key"), incoming)
        beacon = self._beacon(payload, site.app.name, incoming)
        await self._intake.store(site, parse_beacon(msgspec.json.encode(beacon)), incoming)
        return TAKEN

    def _site(self, payload: Payload, incoming: Incoming) -> AppPolicy:
        # Names of apps are free there: "Tea shop" is our Tea-shop.
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", payload.meta.app.name).strip("-._")[:64]
        register = self._intake.register
        return register.find(name, "meta.app.name") if name else register.of_origin(incoming.origin)

    def _beacon(self, payload: Payload, app: str, incoming: Incoming) -> Beacon:
        now, meta = time.time(), payload.meta
        session = meta.session.id or incoming.header(b"x-faro-session-id")
        if not IDENTITY.fullmatch(session):
            session = self._anonymous_ids.id(app, session or incoming.network, incoming.header(b"user-agent"))
        sent = incoming.header(b"idempotency-key")
        sides = [str(one) for one in (meta.browser.viewport_width, meta.browser.viewport_height)]
        viewport = [min(int(one[:10]), PIXELS) for one in sides if one.isascii() and one.isdigit()]
        load = self._load(payload, app, session, incoming.network, now)
        url = meta.page.url[:4_000] or load.url
        soft = self._anonymous_ids.id(app, load.id, strip_query(url))
        return Beacon(
            id=sent if IDENTITY.fullmatch(sent) else new_id(),
            app=app,
            session=session,
            sent_at=now,
            release=(meta.app.version or meta.app.release)[:200],
            environment=meta.app.environment[:200],
            webdriver=meta.k6.is_k6_browser,
            viewport=(viewport[0], viewport[1]) if len(viewport) == 2 else None,
            views=convert_views(payload, load, url, soft, now),
        )

    def _load(self, payload: Payload, app: str, session: str, network: str, now: float) -> View:
        """The page load that a message belongs to: its own, else the session's newest."""
        url = payload.meta.page.url[:4_000]
        key = f"faro {app} {session}"
        load_event = find_navigation(payload)
        if load_event is not None and load_event.attributes is not None:
            url = clip_text(load_event.attributes.get("name"), 4_000) or url
            number = self._anonymous_ids.id(app, session, clip_text(load_event.attributes.get("faroNavigationId"), 100) or url)
            opened = View(id=number, url=url, started_at=parse_moment(load_event.timestamp, now))
            self._anonymous_ids.opened(key, opened, network)
        known = self._anonymous_ids.newest(key)
        return known or View(
            id=self._anonymous_ids.id(app, session, strip_query(url)), url=url, started_at=earliest_moment(payload, now)
        )
