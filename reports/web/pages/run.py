"""`/runs/ID`: one run; `/runs/ID/trace`: Playwright's trace viewer on it."""

from starlette.requests import Request
from starlette.responses import Response

from reports.html.run import PHASES, ROW, WIDTH, vitals, waterfall
from reports.web import render
from reports.web.figures import run as figures
from reports.web.site import Site, problem


def show(site: Site, request: Request) -> Response:
    """The page."""
    data = figures.run(site.history, site.archive, request.path_params["run"])
    if data is None:
        return missing(request)
    result = data.result
    pictures = [one for one in data.artifacts if one.kind == "screenshot" and one.there]
    return render.page(
        request,
        "run.html",
        section="Runs",
        data=data,
        row=data.row,
        result=result,
        longest=max((step.wall_seconds or 0.0 for step in result.steps), default=0.0) or 1.0 if result else 1.0,
        waterfalls={step.name: waterfall(step) for step in result.steps} if result else {},
        vitals={step.name: vitals(step) for step in result.steps} if result else {},
        pictures=pictures,
        videos=[one for one in data.artifacts if one.kind == "video" and one.there],
        trace=next((one for one in reversed(data.artifacts) if one.kind == "trace" and one.there), None),
        replay=any(one.kind == "replay" and one.there for one in data.artifacts),
        logs=figures.logs(figures.folder_of(site.history, site.archive, data.row.id), data.artifacts),
        width=WIDTH,
        height=ROW,
        phases=PHASES,
    )


def trace(site: Site, request: Request) -> Response:
    """The viewer, in a frame of the page."""
    data = figures.run(site.history, site.archive, request.path_params["run"])
    if data is None:
        return missing(request)
    kept = [one for one in data.artifacts if one.kind == "trace" and one.there]
    if not kept:
        return problem(request, 404, 'This run has no trace, or it has been removed; `trace = "on"` keeps one of every run.')
    wanted = request.query_params.get("attempt", "")
    chosen = next((one for one in kept if str(one.attempt) == wanted), kept[-1])
    return render.page(request, "trace.html", section="Runs", data=data, row=data.row, traces=kept, chosen=chosen)


def missing(request: Request) -> Response:
    """The page for a run that is not stored."""
    return problem(request, 404, f"No run {request.path_params['run'][:60]!r} is stored.")
