"""The status page's files: HTML, style, JSON, Atom feed and badge. Nothing in them comes from elsewhere or runs."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.status_page.incidents import Incident
from reports.status_page.status import DAYS, Component, Status
from runner.untrusted_text import xml_text

HERE = Path(__file__).parent
COLOURS = {"available": "#1a7445", "partly available": "#8a5a00", "not available": "#b3261e", "not known": "#56645f"}
TYPES = {
    "index.html": "text/html",
    "style.css": "text/css",
    "status.json": "application/json",
    "feed.atom": "application/atom+xml",
    "badge.svg": "image/svg+xml",
}
"""The files, each with its media type."""


class DayBar(msgspec.Struct, frozen=True):
    """A day of a component."""

    x: int
    grade: str
    title: str


def render_files(status: Status, url: str = "") -> dict[str, bytes]:
    """Every file by its name; `url` is where the page is public."""
    page = (
        _templates()
        .get_template("status.html")
        .render(
            status=status,
            rows=[(one, _draw_days(one, status.at), _say_days(one)) for one in status.components],
            days=DAYS,
            title=_title,
        )
    )
    document = {"state": status.state, **msgspec.to_builtins(status)}
    return {
        "index.html": page.encode(),
        "style.css": (HERE / "style.css").read_bytes(),
        "status.json": msgspec.json.format(msgspec.json.encode(document), indent=2),
        "feed.atom": render_feed(status, url).encode(),
        "badge.svg": render_badge(status).encode(),
    }


def render_feed(status: Status, url: str) -> str:
    """The incidents as an Atom feed (RFC 4287)."""
    base = url or "urn:journey:status"
    entries = []
    for one in status.incidents:
        ended = f"{one.ended_at:%Y-%m-%d %H:%M} UTC" if one.ended_at else ""
        text = f"Began {one.started_at:%Y-%m-%d %H:%M} UTC, {f'ended {ended}' if ended else 'ongoing'}."
        text += "".join(f"\n{said.at:%Y-%m-%d %H:%M} UTC, {said.state}: {said.text}" for said in one.updates)
        identity = f"{base}#{_slug(one.component)}-{one.started_at:%Y%m%dT%H%M%SZ}"
        entries.append(
            f"<entry><id>{_escape(identity)}</id><title>{_escape(_title(one))}</title>"
            f"<updated>{_stamp(one.changed_at)}</updated><published>{_stamp(one.started_at)}</published>"
            + (f"<link href={quoteattr(url)}/>" if url else "")
            + f"<content>{_escape(text)}</content></entry>"
        )
    updated = max((one.changed_at for one in status.incidents), default=datetime(2020, 1, 1, tzinfo=UTC))
    links = f'<link rel="self" href={quoteattr(f"{url}/feed.atom")}/><link href={quoteattr(url)}/>' if url else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(base)}</id><title>{_escape(status.title)}</title><author><name>{_escape(status.title)}</name></author>"
        f"<updated>{_stamp(updated)}</updated>{links}{''.join(entries)}</feed>\n"
    )


def _escape(text: str) -> str:
    """Text of people as XML, which cannot hold control characters: one of them, and no reader shows the feed."""
    return escape(xml_text(text))


def render_badge(status: Status) -> str:
    """The state as a small picture."""
    left, right = 52, 10 + 7 * len(status.state)
    label = f"status: {status.state}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}"><title>{label}</title>'
        f'<rect width="{left + right}" height="20" rx="3" fill="#3a4541"/><rect x="{left}" width="{right}" height="20" rx="3" '
        f'fill="{COLOURS[status.state]}"/><g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">status</text><text x="{left + right / 2:g}" y="14">{status.state}</text></g></svg>\n'
    )


def _draw_days(component: Component, now: datetime) -> list[DayBar]:
    known = {one.day: one.availability for one in component.days}
    bars = []
    for place in range(DAYS):
        day = f"{now - timedelta(days=DAYS - 1 - place):%Y-%m-%d}"
        share = known.get(day)
        grade = (
            "none"
            if share is None
            else "full"
            if share == 1
            else "high"
            if share >= 0.99
            else "low"
            if share >= 0.95
            else "poor"
        )
        bars.append(DayBar(place * 4, grade, f"{day}: {'no data' if share is None else f'{share * 100:g} % available'}"))
    return bars


def _say_days(component: Component) -> str:
    clean = sum(one.availability == 1 for one in component.days)
    return f"Last {DAYS} days: {clean} of {len(component.days)} days with data without a failure"


def _title(one: Incident) -> str:
    """The title, with the component if it is not in it."""
    return one.title if one.component.casefold() in one.title.casefold() else f"{one.component}: {one.title}"


def _slug(name: str) -> str:
    return "-".join("".join(one if one.isalnum() else " " for one in name.casefold()).split())


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("reports.status_page", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
