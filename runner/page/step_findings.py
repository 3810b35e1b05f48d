"""From what the page agent saw to the fields of a step's result. Milliseconds come in, seconds go out."""

from collections.abc import Iterable
from datetime import UTC, datetime

from runner.page.agent_messages import NavigationTiming, Snapshot
from runner.page.clock import Window
from runner.page.signals import seconds
from runner.result import Navigation, ServerTiming, Vitals
from runner.untrusted_text import LONGEST_NAME, tamed


def navigations(documents: Iterable[Snapshot], window: Window) -> tuple[Navigation, ...]:
    """The documents whose navigation began in `window`, in order."""
    return tuple(_navigation(document) for document in _loaded(documents, window))


def _loaded(documents: Iterable[Snapshot], window: Window) -> list[Snapshot]:
    return sorted((one for one in documents if one.origin / 1000 in window), key=lambda one: one.origin)


def _navigation(document: Snapshot) -> Navigation:
    timing = document.navigation
    if timing is None:
        raise ValueError(f"{document.url} was not read as a top-level document")
    return Navigation(
        url=tamed(timing.name),
        type=tamed(timing.type, LONGEST_NAME),
        started_at=datetime.fromtimestamp(document.origin / 1000, UTC),
        status=timing.response_status or None,
        protocol=tamed(timing.next_hop_protocol, LONGEST_NAME),
        phases=phases(timing),
        redirects=timing.redirect_count,
        transfer_bytes=timing.transfer_size,
        decoded_bytes=timing.decoded_body_size,
        server_timing=tuple(
            ServerTiming(
                name=tamed(one.name, LONGEST_NAME),
                duration_seconds=seconds(one.duration or 0.0),
                description=tamed(one.description),
            )
            for one in timing.server_timing
        ),
    )


def phases(timing: NavigationTiming) -> dict[str, float]:
    """The phases of W3C Navigation Timing Level 2, section 4, as spans in seconds.

    `connect` is the time before the TLS handshake and `tls` the handshake; `dom` runs from the last response byte to
    `domComplete`; `ttfb` and `total` count from the start of the navigation. A phase that has not ended is left out.
    """
    tls_start = timing.secure_connection_start
    spans = {
        "redirect": (timing.redirect_start, timing.redirect_end),
        "dns": (timing.domain_lookup_start, timing.domain_lookup_end),
        "connect": (timing.connect_start, tls_start or timing.connect_end),
        "tls": (tls_start, timing.connect_end) if tls_start else (0.0, 0.0),
        "request": (timing.request_start, timing.response_start),
        "response": (timing.response_start, timing.response_end),
        "dom": (min(timing.response_end, timing.dom_complete), timing.dom_complete),
        "load": (timing.load_event_start, timing.load_event_end),
        "ttfb": (0.0, timing.response_start),
        "total": (0.0, timing.load_event_end),
    }
    # Redirects, name look-up and connection may really take nothing (a kept connection); the others are 0 only until they happen.
    may_be_nothing = {"redirect", "dns", "connect", "tls"}
    return {name: seconds(end - start) for name, (start, end) in spans.items() if end > 0 or name in may_be_nothing}


def vitals(documents: Iterable[Snapshot], window: Window) -> Vitals:
    """The vitals of the last document loaded in `window`, and the INP of whichever document was acted on in it."""
    known = list(documents)
    found: dict[str, float] = {}
    for document in _loaded(known, window)[-1:]:
        for name in ("ttfb", "fcp", "lcp"):
            if name in document.vitals:
                found[name] = seconds(document.vitals[name].value)
        if "cls" in document.vitals:
            found["cls"] = round(document.vitals["cls"].value, 6)
    slowest = [
        document.vitals["inp"].value
        for document in known
        if "inp" in document.vitals and (document.vitals["inp"].at or 0.0) / 1000 in window
    ]
    if slowest:
        found["inp"] = seconds(max(slowest))
    return Vitals(**found)
