"""`/sessions/ID/journey`: a journey created from a recorded session; `/sessions/ID/journey.py`: its file. Nothing is run."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.web.pages.artifacts import INERT
from reports.web.render.html import render_page, root_path
from reports.web.render.problem import render_problem
from reports.web.services.journey_maker import MakerBusy, read_made
from reports.web.site import Site
from reports.web.view_models.replay import is_recorded
from runner.dsl.python_name import to_python_name
from runner.errors import JourneyError
from runner.store import StoreDown

GONE = "No journey has been created from this session, or many others since; use the button on the session's replay page."


def may_make_journey(site: Site, request: Request) -> bool:
    """Whether the user sees the button."""
    access = request.scope.get("access")
    return site.journey_maker is not None and access is not None and access.role == "operate"


def show_journey_of_session(site: Site, request: Request) -> Response:
    """The created journey."""
    session = request.path_params["session"]
    with site.read(request) as connection:
        made = read_made(connection, session) if site.journey_maker else None
        known = made is not None or is_recorded(connection, session)
    if not known:
        return _unknown(request, session)
    return render_page(
        request,
        "from_session.html",
        section="Recordings",
        session=session,
        made=made,
        may_make=may_make_journey(site, request),
    )


def make_journey_of_session(site: Site, request: Request) -> Response:
    """Creates the journey."""
    session = request.path_params["session"]
    if site.journey_maker is None:
        return render_problem(request, 404, "This server does not create journeys from sessions.")
    if not _is_recorded(site, request, session):
        return _unknown(request, session)
    try:
        site.journey_maker.make(session, site.store)
    except MakerBusy as error:
        return render_problem(request, 409, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    except StoreDown:
        raise
    except JourneyError as error:
        return render_problem(request, 422, str(error))
    return RedirectResponse(f"{root_path(request)}/sessions/{session}/journey", 303)


def download_journey(site: Site, request: Request) -> Response:
    """Its file."""
    with site.read(request) as connection:
        made = read_made(connection, request.path_params["session"]) if site.journey_maker else None
    if made is None:
        return render_problem(request, 404, GONE)
    # A page's title may be in any script, a header only in one (RFC 6266).
    name = f"attachment; filename=\"journey.py\"; filename*=UTF-8''{quote(to_python_name(made.report.name))}.py"
    headers = {**INERT, "Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(made.source, 200, headers, "text/x-python; charset=utf-8")


def _is_recorded(site: Site, request: Request, session: str) -> bool:
    with site.read(request) as connection:
        return is_recorded(connection, session)


def _unknown(request: Request, session: str) -> Response:
    return render_problem(request, 404, f"There is no recording of session {session[:70]!r}; old recordings are removed.")
