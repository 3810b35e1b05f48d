"""`/incidents`: what the status page says about incidents; users with the role `operate` write and edit it."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.status_page.incidents import KnownIncident
from reports.status_page.status import DAYS
from reports.web.query.time_range import BadRequest, format_timestamp
from reports.web.render.html import render_page, root_path
from reports.web.render.problem import render_problem
from reports.web.site import Site
from reports.web.view_models.incidents import read_incident_list
from runner.settings.parsers.status_page import StatusPage
from runner.store.incidents import IMPACTS, LONGEST_TEXT, LONGEST_TITLE, STATES, Impact, IncidentUpdate, WrittenIncident

GONE = "There is no such incident any more; somebody may have removed it."
LARGEST_ID = 2**31 - 1
"""What the column holds in PostgreSQL."""
AHEAD = timedelta(minutes=2)
"""How far a clock may be ahead of the server's."""


def show_incidents(site: Site, request: Request) -> Response:
    """The page."""
    with site.read(request) as connection:
        data = read_incident_list(connection, site.status_page, site.alert_after, site.now(), site.alert_locations)
    page = site.status_page
    return render_page(
        request,
        "incidents.html",
        section="Incidents",
        incidents=data.incidents,
        page=page,
        components=sorted(set(page.journeys.values())) if page else [],
        states=STATES,
        impacts=IMPACTS,
        days=DAYS,
        longest_title=LONGEST_TITLE,
        longest_text=LONGEST_TEXT,
    )


def add_incident(site: Site, request: Request) -> Response:
    """An incident that no run shows."""
    page, fields, now = _page(site), request.scope["form"], site.now()
    component = fields.get("component", "")
    if component not in page.journeys.values():
        raise BadRequest(f"component: {component[:80]!r} is not on the status page")
    title = _parse_title(fields)
    if not title:
        raise BadRequest("title: is empty; say in a few words what is wrong")
    number = site.store.incidents.add(
        WrittenIncident(
            component=component,
            started_at=_parse_start(fields, now, now),
            title=title,
            impact=_parse_impact(fields),
            who=_who(request),
            made_at=now,
            updates=(_parse_update(request, now),) if fields.get("text", "").strip() else (),
        )
    )
    return _back(request, number)


def edit_incident(site: Site, request: Request) -> Response:
    """Its title, whether the public sees it, and what no run says: start and impact."""
    fields = request.scope["form"]
    known = _find(site, request)
    if known is None:
        return render_problem(request, 404, GONE)
    title = _parse_title(fields)
    values = {"title": title, "hidden": fields.get("hidden") == "yes"}
    if not known.measured:
        if not title:
            raise BadRequest("title: is empty; say in a few words what is wrong")
        values |= {"impact": _parse_impact(fields), "started_at": _parse_start(fields, site.now(), known.started_at)}
    number = _stored(site, request, known)
    if not site.store.incidents.change(number, **values):
        return render_problem(request, 404, GONE)
    return _back(request, number)


def update_incident(site: Site, request: Request) -> Response:
    """Adds what is known by now; with `update`, changes what was written, and without a text removes it."""
    fields = request.scope["form"]
    known = _find(site, request)
    if known is None:
        return render_problem(request, 404, GONE)
    written, now = fields.get("update", ""), site.now()
    if written and not fields.get("text", "").strip():
        state, text = STATES[0], ""
    else:
        said = _parse_update(request, now)
        state, text = said.state, said.text
    if known.measured and known.ended_at is None and state == "resolved":
        raise BadRequest("state: runs still fail; this incident ends by itself when they pass")
    number = _stored(site, request, known)
    if written:
        done = site.store.incidents.change_update(number, _parse_number(written), state, text)
    else:
        done = site.store.incidents.add_update(number, IncidentUpdate(at=now, state=state, text=text, who=_who(request)))
    return _back(request, number) if done else render_problem(request, 404, GONE)


def remove_incident(site: Site, request: Request) -> Response:
    """Removes it; of an outage that runs show, what was written about it."""
    _page(site)
    if not site.store.incidents.remove(_parse_number(request.scope["form"].get("id", ""))):
        return render_problem(request, 404, GONE)
    return _back(request)


def _page(site: Site) -> StatusPage:
    if site.status_page is None:
        raise BadRequest("there is no [status_page] table in the settings")
    return site.status_page


def _find(site: Site, request: Request) -> KnownIncident | None:
    """The incident that a form is about: by its id, or, where nothing was written about it, by its component and start."""
    fields = request.scope["form"]
    _page(site)
    wanted = _parse_number(fields["id"]) if fields.get("id") else None
    with site.read(request) as connection:
        known = read_incident_list(connection, site.status_page, site.alert_after, site.now(), site.alert_locations).incidents
    if wanted:
        return next((one for one in known if one.id == wanted), None)
    place = fields.get("component"), fields.get("started")
    return next((one for one in known if one.measured and (one.component, format_timestamp(one.started_at)) == place), None)


def _stored(site: Site, request: Request, known: KnownIncident) -> int:
    """The id of its row, which an outage has from when something is written about it."""
    if known.id is not None:
        return known.id
    return site.store.incidents.add(
        WrittenIncident(
            component=known.component,
            measured_at=known.started_at,
            started_at=known.started_at,
            who=_who(request),
            made_at=site.now(),
        )
    )


def _who(request: Request) -> str:
    return str(request.scope["access"].name)[:100]


def _parse_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_ID):
        raise BadRequest(f"id: {text[:40]!r} is not the number of an incident")
    return int(text)


def _parse_title(fields: dict[str, str]) -> str:
    title = " ".join(fields.get("title", "").split())
    if len(title) > LONGEST_TITLE:
        raise BadRequest(f"title: has {len(title)} characters; at most {LONGEST_TITLE} are allowed")
    return title


def _parse_impact(fields: dict[str, str]) -> Impact:
    for one in IMPACTS:
        if fields.get("impact", IMPACTS[0]) == one:
            return one
    raise BadRequest(f"impact: {fields['impact'][:40]!r} is not valid; choose one of {', '.join(IMPACTS)}")


def _parse_start(fields: dict[str, str], now: datetime, otherwise: datetime) -> datetime:
    """A time in UTC, as a browser's field for it has it."""
    words = fields.get("started", "")
    if not words:
        return otherwise
    try:
        at = datetime.fromisoformat(words)
    except ValueError as error:
        raise BadRequest(f"started: {words[:40]!r} is not a time; write one such as 2026-06-01T12:00") from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    if not now - timedelta(days=DAYS - 1) <= at <= now + AHEAD:
        raise BadRequest(f"started: {words[:40]!r} is not in the last {DAYS - 1} days")
    return at


def _parse_update(request: Request, now: datetime) -> IncidentUpdate:
    fields = request.scope["form"]
    text = "\n".join(line.rstrip() for line in fields.get("text", "").strip().splitlines())
    if not text or len(text) > LONGEST_TEXT:
        raise BadRequest(f"text: has {len(text)} characters; 1 to {LONGEST_TEXT} are allowed")
    for state in STATES:
        if fields.get("state", STATES[0]) == state:
            return IncidentUpdate(at=now, state=state, text=text, who=_who(request))
    raise BadRequest(f"state: {fields['state'][:40]!r} is not valid; choose one of {', '.join(STATES)}")


def _back(request: Request, number: int = 0) -> Response:
    return RedirectResponse(f"{root_path(request)}/incidents{f'#incident-{number}' if number else ''}", 303)
