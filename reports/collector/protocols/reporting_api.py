"""`/reports`: what browsers report about a page by themselves (W3C Reporting API), and in the older form of `report-uri` (CSP 2, 4.4).

A site sends them here with `Reporting-Endpoints: default="https://collector.example/reports?app=shop"`.
"""

import time
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from reports.collector.admission.anonymous_ids import AnonymousIds, new_id
from reports.collector.admission.intake import Incoming, Intake
from reports.collector.beacon import Beacon, ScriptError, SlowRequest, View
from reports.collector.http.endpoint import Answer
from reports.collector.protocols.native import parse_beacon, refuse_unreadable
from reports.collector.protocols.simple import site_of

TAKEN = Answer()
Kind = Literal["csp", "deprecation", "intervention", "crash", "network"]
KINDS: dict[str, Kind] = {
    "csp-violation": "csp",
    "permissions-policy-violation": "csp",
    "document-policy-violation": "csp",
    "integrity-violation": "csp",
    "coep": "csp",
    "coop": "csp",
    "deprecation": "deprecation",
    "intervention": "intervention",
    "crash": "crash",
    "network-error": "network",
}
"""Reports that are kept; browsers may send others, which are not looked at."""
DAY = 86_400.0
MOST = 50
"""Pages, and errors of a page, of one message: what a beacon may hold."""


class BrowserReport(Struct, frozen=True):
    """One report, with its age in milliseconds; or the older form, which has one key only."""

    type: str = ""
    url: str = ""
    age: float = 0.0
    body: dict[str, Any] | None = None
    csp: dict[str, Any] | None = field(default=None, name="csp-report")


_several = msgspec.json.Decoder(list[BrowserReport])
_single = msgspec.json.Decoder(BrowserReport)


class ReportingProtocol:
    """Takes reports, many at a time."""

    def __init__(self, intake: Intake, anonymous_ids: AnonymousIds) -> None:
        self._intake = intake
        self._anonymous_ids = anonymous_ids

    async def take(self, incoming: Incoming) -> Answer:
        """Answers when all reports are on disk. Raises Refusal."""
        try:
            several = incoming.body.lstrip().startswith(b"[")
            found = _several.decode(incoming.body) if several else [_single.decode(incoming.body)]
        except (ValueError, RecursionError) as error:
            raise refuse_unreadable(error) from error
        site = site_of(self._intake, incoming)
        views = _views(found, time.time())
        if views:
            session = self._anonymous_ids.id(site.app.name, incoming.network, incoming.header(b"user-agent"))
            beacon = Beacon(id=new_id(), app=site.app.name, session=session, sent_at=time.time(), views=views)
            await self._intake.store(site, parse_beacon(msgspec.json.encode(beacon)), incoming)
        return TAKEN


def _views(found: list[BrowserReport], now: float) -> tuple[View, ...]:
    pages: dict[str, list[tuple[float, ScriptError, SlowRequest | None]]] = {}
    for one in found:
        kind = "csp" if one.csp is not None else KINDS.get(one.type)
        if kind is None:
            continue
        body = _modern(one.csp) if one.csp is not None else one.body or {}
        url = _text(one.csp.get("document-uri"), 4_000) if one.csp is not None else one.url[:4_000]
        reported = pages.setdefault(url, []) if url in pages or len(pages) < MOST else []
        if len(reported) < MOST:
            reported.append(
                (
                    min(max(one.age / 1000, 0.0), DAY),
                    _error(kind, one.type, body),
                    _request(one, body) if kind == "network" else None,
                )
            )
    return tuple(
        View(
            id=new_id(),
            url=url,
            started_at=max(now - max(age for age, _, _ in reported), 0.0),
            type="report",
            errors=tuple(error for _, error, _ in reported),
            requests=tuple(request for _, _, request in reported if request is not None),
        )
        for url, reported in pages.items()
    )


def _error(kind: Kind, name: str, body: dict[str, Any]) -> ScriptError:
    if kind == "csp" and name in {"csp-violation", ""}:
        message = f"{_text(body.get('effectiveDirective'), 100)} forbids {_text(body.get('blockedURL'), 1_000) or 'inline'}"
        name = _text(body.get("disposition"), 100) or "enforce"
    elif kind == "crash":
        name = _text(body.get("reason"), 100) or "crash"
        message = f"the page crashed: {name}"
    elif kind == "network":
        name = _text(body.get("type"), 100)
        message = f"{name} in phase {_text(body.get('phase'), 50) or 'unknown'}"
    else:
        name = _text(body.get("id") or body.get("policyId") or body.get("featureId"), 100) or name
        message = _text(body.get("message"), 2_000) or name
    return ScriptError(
        kind=kind,
        message=message[:2_000],
        type=name,
        source=_text(body.get("sourceFile"), 4_000),
        line=_count(body.get("lineNumber")),
        column=_count(body.get("columnNumber")),
    )


def _request(report: BrowserReport, body: dict[str, Any]) -> SlowRequest:
    return SlowRequest(
        url=report.url[:4_000],
        method=_text(body.get("method"), 20) or "GET",
        kind="navigation",
        duration_seconds=min(_count(body.get("elapsed_time")) / 1000, DAY),
        status=min(_count(body.get("status_code")), 999),
        failure=_text(body.get("type"), 200),
    )


def _modern(csp: dict[str, Any]) -> dict[str, Any]:
    return {
        "effectiveDirective": csp.get("effective-directive") or csp.get("violated-directive"),
        "blockedURL": csp.get("blocked-uri"),
        "disposition": csp.get("disposition"),
        "sourceFile": csp.get("source-file"),
        "lineNumber": csp.get("line-number"),
        "columnNumber": csp.get("column-number"),
    }


def _text(value: object, length: int) -> str:
    return value[:length] if isinstance(value, str) else ""


def _count(value: object) -> int:
    return (
        min(max(int(value), 0), 1_000_000)
        if isinstance(value, int | float) and value == value and abs(value) != float("inf")
        else 0
    )
