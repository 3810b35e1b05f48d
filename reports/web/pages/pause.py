"""`/journeys/NAME/pause` and `/resume`: have the scheduler leave a journey out for a while; for those who may operate."""

from datetime import timedelta
from fnmatch import fnmatchcase
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.web.query.time_range import BadRequest
from reports.web.site import Site, problem
from runner.settings.duration import parse_positive_duration
from runner.store.database import Pause

OFFERED = (("1h", "an hour"), ("6h", "6 hours"), ("24h", "a day"), ("7d", "a week"), ("", "ever, until it is resumed"))
LONGEST_REASON = 200


def of(site: Site, name: str) -> list[Pause]:
    """The pauses that hold for a journey now."""
    return [one for one in site.store.pauses(site.now()) if fnmatchcase(name, one.pattern)]


def pause(site: Site, request: Request) -> Response:
    """Pauses it."""
    name, fields = request.path_params["journey"], request.scope["form"]
    if missing := _missing(site, request, name):
        return missing
    reason = " ".join(fields.get("reason", "").split()) or "paused"
    if len(reason) > LONGEST_REASON:
        raise BadRequest(f"reason: has {len(reason)} characters; {LONGEST_REASON} are the most")
    words = fields.get("for", "")
    try:
        until = site.now() + timedelta(seconds=parse_positive_duration(words)) if words else None
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"for: {error}") from error
    who = request.scope["access"].name
    site.store.pause(name, until, f"{reason} ({who})" if who else reason, site.now())
    return _back(request, name)


def resume(site: Site, request: Request) -> Response:
    """Ends its pauses."""
    name = request.path_params["journey"]
    if missing := _missing(site, request, name):
        return missing
    site.store.resume(name)
    return _back(request, name)


def _missing(site: Site, request: Request, name: str) -> Response | None:
    if not site.history.knows(name):
        return problem(request, 404, f"No run of a journey named {name[:100]!r} is stored.")
    if set(name) & set("*?["):
        raise BadRequest(f"journey: {name[:100]!r} would pause others too; use `journey pause`")
    return None


def _back(request: Request, name: str) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/journeys/{quote(name, safe='')}#operate", 303)
