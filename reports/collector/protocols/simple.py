"""`/log-page-load` and `/log-interaction`: the two endpoints of a minimal monitor, for pages written for it.

They say neither app nor session nor page. The app is that of the page's origin, or `?app=NAME`; the page is where the browser says
that the request comes from, which is all of its address for a page of the same origin, and else nothing.
"""

import time
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Meta, Struct

from reports.collector.admission.anonymous_ids import AnonymousIds, new_id
from reports.collector.admission.app_policy import AppPolicy
from reports.collector.admission.intake import Incoming, Intake
from reports.collector.beacon import INTERACTION_TYPES, Beacon, View
from reports.collector.http.endpoint import Answer
from reports.collector.protocols.native import refuse_unreadable

STATUS_OK = Answer(200, b'{"status":"ok"}')


class PageLoad(Struct, frozen=True):
    """A page's load time in milliseconds, a number or a text that holds one."""

    load_time: Annotated[float, Meta(ge=0, le=86_400_000)]


class PlainInteraction(Struct, frozen=True):
    """Something that a user did."""

    type: Annotated[str, Meta(min_length=1, max_length=200)]


_loads = msgspec.json.Decoder(PageLoad, strict=False)
_interactions = msgspec.json.Decoder(PlainInteraction)


def site_of(intake: Intake, incoming: Incoming) -> AppPolicy:
    """The site that `?app=` names, else that of the origin; `?key=` is its key. Raises Refusal."""
    # `&` again and again would be thousands of parameters.
    query = parse_qs(incoming.query[:1_000]) if incoming.query else {}
    named = query.get("app", [""])[0][:64]
    site = intake.register.find(named) if named else intake.register.of_origin(incoming.origin)
    intake.admit(site, query.get("key", [""])[0], incoming)
    return site


class SimpleProtocol:
    """Takes page loads and interactions, one at a time."""

    def __init__(self, intake: Intake, anonymous_ids: AnonymousIds) -> None:
        self._intake = intake
        self._anonymous_ids = anonymous_ids

    async def page_load(self, incoming: Incoming) -> Answer:
        """Answers when the page view is on disk. Raises Refusal."""
        try:
            seconds = _loads.decode(incoming.body).load_time / 1000
        except (ValueError, RecursionError) as error:
            raise refuse_unreadable(error) from error
        now = time.time()
        view = View(id=new_id(), url=_page(incoming), started_at=max(now - seconds, 0.0), phases={"total": seconds})
        return await self._store(incoming, view, opened=True)

    async def interaction(self, incoming: Incoming) -> Answer:
        """Answers when the interaction is on disk, with the newest view of that sender's page. Raises Refusal."""
        try:
            kind = _interactions.decode(incoming.body).type
        except (ValueError, RecursionError) as error:
            raise refuse_unreadable(error) from error
        counts = {kind if kind in INTERACTION_TYPES else "custom": 1}
        view = View(id=new_id(), url=_page(incoming), started_at=time.time(), type="report", interaction_counts=counts)
        return await self._store(incoming, view, opened=False)

    async def _store(self, incoming: Incoming, view: View, opened: bool) -> Answer:
        site = site_of(self._intake, incoming)
        session = self._anonymous_ids.id(site.app.name, incoming.network, incoming.header(b"user-agent"))
        key = f"{session} {view.url}"
        known = self._anonymous_ids.newest(key)
        if opened:
            self._anonymous_ids.opened(key, view, incoming.network)
        elif known is not None:
            view = msgspec.structs.replace(view, id=known.id, started_at=known.started_at, type="navigate")
        beacon = Beacon(id=new_id(), app=site.app.name, session=session, sent_at=time.time(), views=(view,))
        await self._intake.store(site, beacon, incoming)
        return STATUS_OK


def _page(incoming: Incoming) -> str:
    """Where the request comes from; nothing when the browser says only the origin (Referrer Policy, 3.7)."""
    referrer = incoming.header(b"referer")[:4_000]
    try:
        parts = urlsplit(referrer)
    except ValueError:
        return ""
    same = parts.netloc == incoming.header(b"host")
    return referrer if parts.path.strip("/") or same else ""
