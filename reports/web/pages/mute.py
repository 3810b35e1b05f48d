"""`/journeys/NAME/mute` and `/unmute`: acknowledge or mute an alert of a journey; for users with the role `operate`.

`/alerts/mute` and `/unmute` do so with alerts that belong to no journey, such as that files cannot be read.
"""

from datetime import timedelta
from typing import get_args
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.web.query.time_range import BadRequest
from reports.web.render.html import root_path
from reports.web.render.problem import render_problem
from reports.web.site import Site
from runner.settings.duration import parse_positive_duration
from runner.store.alerts.alerts import AlertKind
from runner.store.alerts.mutes import LONGEST_NOTE, Mute, read_alert_states
from runner.store.queries.runs import History

OFFERED_MUTES = (
    ("", "acknowledge: until it ends"),
    ("1h", "mute for an hour"),
    ("6h", "mute for 6 hours"),
    ("24h", "mute for a day"),
    ("7d", "mute for a week"),
)


def mute_alert(site: Site, request: Request) -> Response:
    """Mutes it."""
    name, fields = request.path_params.get("journey", ""), request.scope["form"]
    kind = _parse_kind(fields.get("kind", ""))
    now = site.now()
    with site.read(request) as connection:
        if name and not History(connection).knows(name):
            return _unknown(request, name)
        alerts = [one for one in read_alert_states(connection, now, name) if one.kind == kind]
    location = fields.get("location") or (alerts[0].location if len(alerts) == 1 else "")
    if not any(one.location == location for one in alerts):
        whose = f"of {name[:100]!r} " if name else ""
        return render_problem(request, 404, f"No alert {whose}of the kind {kind!r} is open there.")
    note = " ".join(fields.get("note", "").split())
    if len(note) > LONGEST_NOTE:
        raise BadRequest(f"note: has {len(note)} characters; at most {LONGEST_NOTE} are allowed")
    words = fields.get("for", "")
    try:
        until = now + timedelta(seconds=parse_positive_duration(words)) if words else None
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"for: {error}") from error
    who = request.scope["access"].name[:100]
    site.store.mutes.mute(Mute(journey=name, location=location, kind=kind, who=who, note=note, made_at=now, until=until))
    return _back(request, name)


def unmute_alert(site: Site, request: Request) -> Response:
    """Ends that."""
    name, fields = request.path_params.get("journey", ""), request.scope["form"]
    kind = _parse_kind(fields.get("kind", ""))
    with site.read(request) as connection:
        if name and not History(connection).knows(name):
            return _unknown(request, name)
        muted = [one for one in read_alert_states(connection, site.now(), name) if one.kind == kind and one.mute]
    for one in muted:
        if fields.get("location", one.location) == one.location:
            site.store.mutes.unmute(name, one.location, kind, site.now())
    return _back(request, name)


def _parse_kind(text: str) -> str:
    kinds = get_args(AlertKind)
    if text not in kinds:
        raise BadRequest(f"kind: {text[:40]!r} is not a kind of alert; choose one of {', '.join(kinds)}")
    return text


def _unknown(request: Request, name: str) -> Response:
    return render_problem(request, 404, f"No run of a journey named {name[:100]!r} is stored.")


def _back(request: Request, name: str) -> Response:
    page = f"/journeys/{quote(name, safe='')}" if name else "/"
    return RedirectResponse(f"{root_path(request)}{page}#alerts", 303)
