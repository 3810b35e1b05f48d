"""`/recordings`: the recordings of sessions and of runs."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.web.render.html import render_page
from reports.web.site import Site
from reports.web.view_models.real_users.recordings import (
    TRAFFIC,
    parse_recording_filter,
    query_of_filter,
    read_choices,
    read_recordings,
)


def show_recordings(site: Site, request: Request) -> Response:
    """The list."""
    wanted = parse_recording_filter(request.query_params)
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        data = read_recordings(connection, time_range, wanted)
        choices = read_choices(connection, time_range)
    keep = urlencode(query_of_filter(wanted))
    return render_page(
        request,
        "recordings.html",
        section="Recordings",
        time_range=time_range,
        live=time_range.moving and not wanted.before,
        data=data,
        wanted=wanted,
        longer=request.query_params.get("longer") or "",
        choices=choices,
        kinds=TRAFFIC,
        keep=f"&{keep}" if keep else "",
        older=urlencode({"before": data.older}) if data.older else "",
    )
