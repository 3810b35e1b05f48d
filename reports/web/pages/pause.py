"""`/journeys/NAME/pause` and `/resume`: have the scheduler skip a journey for a while; for users with the role `operate`."""

from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.web.query.time_range import BadRequest
from reports.web.render.problem import render_problem
from reports.web.site import Site
from runner.settings.duration import parse_positive_duration
from runner.store.queries.runs import History

OFFERED = (("1h", "an hour"), ("6h", "6 hours"), ("24h", "a day"), ("7d", "a week"), ("", "ever, until it is resumed"))
LONGEST_REASON = 200


def pause_journey(site: Site, request: Request) -> Response:
    """Pauses it."""
    name, fields = request.path_params["journey"], request.scope["form"]
    if missing := _missing(site, request, name):
        return missing
    reason = " ".join(fields.get("reason", "").split()) or "paused"
    if len(reason) > LONGEST_REASON:
        raise BadRequest(f"reason: has {len(reason)} characters; at most {LONGEST_REASON} are allowed")
    words = fields.get("for", "")
    try:
        until = site.now() + timedelta(seconds=parse_positive_duration(words)) if words else None
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"for: {error}") from error
    who = request.scope["access"].name
    site.store.pauses.pause(name, until, f"{reason} ({who})" if who else reason, site.now())
    return _back(request, name)


def resume_journey(site: Site, request: Request) -> Response:
    """Removes its pauses."""
    name = request.path_params["journey"]
    if missing := _missing(site, request, name):
        return missing
    site.store.pauses.resume(name)
    return _back(request, name)


def _missing(site: Site, request: Request, name: str) -> Response | None:
    with site.read(request) as connection:
        known = History(connection).knows(name)
    if not known:
        return render_problem(request, 404, f"No run of a journey named {name[:100]!r} is stored.")
    if set(name) & set("*?["):
        raise BadRequest(f"journey: {name[:100]!r} would also pause other journeys; use `journey pause`")
    return None


def _back(request: Request, name: str) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/journeys/{quote(name, safe='')}#operate", 303)
