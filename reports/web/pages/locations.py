"""`/locations`: the places that journeys are walked from."""

from starlette.requests import Request
from starlette.responses import Response

from reports.web.render.html import render_page
from reports.web.site import Site
from reports.web.view_models.locations import NAMED, LocationList, read_location_list


def show_locations(site: Site, request: Request) -> Response:
    """The page."""
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        data = read_location_list(connection, time_range, site.now())
    return render_page(
        request,
        "locations.html",
        section="Locations",
        time_range=time_range,
        live=time_range.moving,
        data=data,
        headline=_headline(data),
        named=NAMED,
    )


def _headline(data: LocationList) -> tuple[str, str]:
    """The state in one sentence, and the status for its colour."""
    known = [one for one in data.locations if one.up is not None]
    down = [one.location for one in known if not one.up]
    if not data.locations:
        return "Nothing has been run yet", "skipped"
    if not known:
        return "No scheduler is running", "skipped"
    if down:
        return f"{', '.join(down[:NAMED])} {'does' if len(down) == 1 else 'do'} not answer", "error"
    return (f"All {len(known)} locations answer" if len(known) > 1 else f"{known[0].location} answers"), "passed"
