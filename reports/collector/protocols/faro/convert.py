"""From the SDK's messages to our page views: load times, vitals, errors, interactions, requests that failed."""

import re
from datetime import UTC, datetime

from msgspec.structs import replace

from reports.collector.beacon import Interaction, ScriptError, SlowRequest, View, ViewType, Vital, VitalName
from reports.collector.protocols.faro.payload import Frame, Item, Payload

NAVIGATION = "faro.performance.navigation"
RESOURCE = "faro.performance.resource"
ACTION = "faro.user.action"
OWN = re.compile(r"faro\.|session_|view_changed|route_change|service_name_override")
"""Events that the SDK makes by itself."""
VITALS: tuple[VitalName, ...] = ("ttfb", "fcp", "lcp", "inp", "cls")
TYPES: dict[str, ViewType] = {
    "reload": "reload",
    "back_forward": "back_forward",
    "back-forward": "back_forward",
    "back-forward-cache": "bfcache",
    "prerender": "prerender",
    "restore": "restore",
}
PHASES = {
    "redirectTime": "redirect",
    "dnsLookupTime": "dns",
    "tcpHandshakeTime": "connect",
    "requestTime": "request",
    "responseTime": "response",
    "ttfb": "ttfb",
    "duration": "total",
}
"""The SDK's times that mean what ours do. Its TLS time is wrong for connections without TLS, and is left out."""
DAY = 86_400.0
ERRORS, FRAMES = 50, 100
"""Errors of a message, and frames of a stack, that are looked at: a text of 8,000 characters has no room for more."""


def find_navigation(payload: Payload) -> Item | None:
    """The event of the page's own load, if it is in this message."""
    return next((one for one in payload.events if one.name == NAVIGATION and one.attributes), None)


def earliest_moment(payload: Payload, now: float) -> float:
    """When the first thing of the message happened, in seconds since the epoch."""
    return min(
        (parse_moment(one.timestamp, now) for one in (*payload.events, *payload.measurements, *payload.exceptions)), default=now
    )


def convert_views(payload: Payload, load: View, url: str, soft: str, now: float) -> tuple[View, ...]:
    """The message as views. Times and vitals belong to `load`, the view of the page's own load; everything else to the
    address `url` where the page is now, which is the view `soft` when scripts have moved it there."""
    item = find_navigation(payload)
    attributes = (item.attributes or {}) if item else {}
    timed = replace(
        load,
        type=TYPES.get(clip_text(attributes.get("type"), 40) or _navigation_type(payload), "navigate"),
        hidden=attributes.get("visibilityState") == "hidden",
        phases={name: _seconds(attributes[known]) for known, name in PHASES.items() if known in attributes},
        status=min(int(_number(attributes.get("responseStatus"))), 999),
        protocol=clip_text(attributes.get("protocol"), 20),
        transfer_bytes=min(int(_number(attributes.get("transferSize"))), 10_000_000_000),
        vitals=tuple(_vitals(payload.measurements))[:50],
    )
    moved = strip_query(url) != strip_query(load.url)
    current = View(id=soft, url=url, started_at=earliest_moment(payload, now), type="soft") if moved else timed
    current = replace(
        current,
        interactions=tuple(_interactions(payload.events, current.started_at, now))[:200],
        errors=tuple(_errors(payload, current.started_at, now))[:ERRORS],
        requests=tuple(_requests(payload.events, current.started_at, now))[:50],
    )
    return ((timed,) if moved and (item or timed.vitals) else ()) + (current,)


def strip_query(url: str) -> str:
    """The address without the parts that do not identify a page."""
    return re.split(r"[?#]", url, maxsplit=1)[0]


def _vitals(measurements: list[Item]) -> list[Vital]:
    found = []
    for one in measurements:
        values, context = one.values or {}, one.context or {}
        name = next((vital for vital in VITALS if vital in values), None) if one.type == "web-vitals" else None
        if name is None:
            continue
        value = max(values[name] if name == "cls" else values[name] / 1000, 0.0)
        parts: dict[str, str | float] = {
            part[:100]: max(float(number), 0.0) / 1000 for part, number in values.items() if part not in {name, "delta"}
        }
        parts |= {
            key[:100]: clip_text(context[key], 200)
            for key in ("element", "interaction_target", "load_state", "largest_shift_target")
            if key in context
        }
        found.append(
            Vital(
                name=name,
                id=clip_text(context.get("id"), 80),
                value=min(value, DAY),
                attribution=dict(list(parts.items())[:40]),
            )
        )
    return found


def _interactions(events: list[Item], started: float, now: float) -> list[Interaction]:
    found = []
    for one in events:
        at = _since(one, started, now)
        attributes = one.attributes or {}
        if one.name == ACTION:
            trigger = clip_text(attributes.get("userActionTrigger") or attributes.get("userActionEventType"), 40)
            name = clip_text(attributes.get("userActionName"), 200)
            kind = (
                "keyboard"
                if trigger.startswith("key")
                else "click"
                if trigger.startswith(("pointer", "click", "mouse"))
                else "custom"
            )
            found.append(Interaction(type=kind, at_seconds=at, name=name))  # type: ignore[arg-type]  # one of three literals
        elif one.name and not OWN.match(one.name):
            found.append(Interaction(type="custom", at_seconds=at, name=one.name[:200]))
    return found


def _errors(payload: Payload, started: float, now: float) -> list[ScriptError]:
    found = []
    for one in payload.exceptions[:ERRORS]:
        frames = one.stacktrace.frames[:FRAMES] if one.stacktrace else []
        first = frames[0] if frames else Frame()
        stack = "\n".join(
            f"    at {frame.function} ({frame.filename}:{frame.lineno or 0}:{frame.colno or 0})" for frame in frames
        )
        found.append(
            ScriptError(
                kind="reported" if one.value.startswith("console.error:") else "error",
                message=one.value[:2_000],
                type=one.type[:200],
                at_seconds=_since(one, started, now),
                stack=stack[:8_000],
                source=first.filename[:4_000],
                line=min(max(first.lineno or 0, 0), 1_000_000),
                column=min(max(first.colno or 0, 0), 1_000_000),
            )
        )
    logs = [one for one in payload.logs if one.level == "error"][:ERRORS]
    return [
        *found,
        *(ScriptError(kind="reported", message=one.message[:2_000], at_seconds=_since(one, started, now)) for one in logs),
    ]


def _requests(events: list[Item], started: float, now: float) -> list[SlowRequest]:
    found = []
    for one in events:
        attributes = one.attributes or {}
        status = int(_number(attributes.get("responseStatus")))
        if one.name == RESOURCE and status >= 400:
            found.append(
                SlowRequest(
                    url=clip_text(attributes.get("name"), 4_000),
                    kind=clip_text(attributes.get("initiatorType"), 100),
                    at_seconds=_since(one, started, now),
                    duration_seconds=_seconds(attributes.get("duration")),
                    status=min(status, 999),
                )
            )
    return found


def _navigation_type(payload: Payload) -> str:
    return next((clip_text(one.context.get("navigation_type"), 40) for one in payload.measurements if one.context), "")


def clip_text(value: object, length: int) -> str:
    return value[:length] if isinstance(value, str) else ""


def _number(value: object) -> float:
    """A number, or a text that holds one, as the SDK writes them; 0 for anything else, as it writes `unknown`."""
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return number if 0 <= number < 1e15 else 0.0


def _seconds(value: object) -> float:
    return min(_number(value) / 1000, DAY)


def parse_moment(text: str, now: float) -> float:
    """Seconds since the epoch; `now` for a time that cannot be parsed or is not within the last days."""
    try:
        found = datetime.fromisoformat(text)
        at = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return now
    return at if abs(at - now) < 7 * DAY else now


def _since(item: Item, started: float, now: float) -> float:
    return min(max(parse_moment(item.timestamp, now) - started, 0.0), DAY)
