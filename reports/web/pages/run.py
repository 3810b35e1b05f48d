"""`/runs/ID`: one run; `/runs/ID/trace`: Playwright's trace viewer for it."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from reports.formats.html.run import AUDIT_PICTURE, PHASES, ROW, WIDTH, draw_waterfall, list_audits, rate_vitals
from reports.web.render.html import render_page
from reports.web.render.problem import render_problem
from reports.web.site import Site
from reports.web.view_models.filmstrip import FilmFrame
from reports.web.view_models.profiles import explain_profiles
from reports.web.view_models.run import Kept, RunData, read_logs, read_run, read_run_with_files
from runner.result import RunResult
from runner.settings.artifact_kinds import list_shown_as
from runner.telemetry.trace_ids import format_trace_url, navigation_span_id, request_span_id, span_id, step_span_id


class Picture(Struct, frozen=True):
    """A picture of a page, as it is shown."""

    path: str
    step: str
    when: str
    """Beside the step's name."""


class StepTrace(Struct, frozen=True):
    """Where the spans of a step can be seen."""

    step: str
    parts: tuple[tuple[str, str], ...]
    """What each of its documents and requests is, and the address of its span."""


def show_run(site: Site, request: Request) -> Response:
    """The page."""
    with site.read(request) as connection:
        found = read_run_with_files(connection, site.archive, request.path_params["run"])
    if found is None:
        return run_not_found(request)
    data, files = found
    row, result = data.row, explain_profiles(data.result, site.maps) if data.result else None
    pictures = _pictures(data)
    at_failure = next((one for one in reversed(pictures) if row.failure_step and one.step == row.failure_step), None)
    return render_page(
        request,
        "run.html",
        section="Runs",
        data=data,
        row=row,
        result=result,
        longest=max((step.wall_seconds or 0.0 for step in result.steps), default=0.0) or 1.0 if result else 1.0,
        waterfalls={step.name: draw_waterfall(step) for step in result.steps} if result else {},
        vitals={step.name: rate_vitals(step) for step in result.steps} if result else {},
        audits=list_audits(result) if result else {},
        elements={one.name: f"/artifacts/{one.id}" for one in data.artifacts if one.kind == AUDIT_PICTURE and one.there},
        pictures=[one for one in pictures if one != at_failure],
        at_failure=at_failure,
        facts=site.facts().get(row.journey),
        source_link=site.source_link,
        around=data.neighbours,
        removed=any(one.kind in {*_names("image"), "trace"} and not one.there for one in data.artifacts),
        videos=[one for one in data.artifacts if one.kind in _names("video") and one.there],
        opened=_names("image") | _names("video"),
        log_kinds=list_shown_as("lines"),
        trace=next((one for one in reversed(data.artifacts) if one.kind == "trace" and one.there), None),
        replay=any(one.kind == "replay" and one.there for one in data.artifacts),
        logs=read_logs(files, data.artifacts),
        storage_away=bool(files.trouble),
        spans=format_trace_url(site.trace_url, result.trace_id, span_id(result.id))
        if site.trace_url and result and result.trace_id
        else None,
        step_traces=_trace_steps(result, site.trace_url) if site.trace_url and result else {},
        width=WIDTH,
        height=ROW,
        phases=PHASES,
    )


def _trace_steps(result: RunResult, template: str) -> dict[str, StepTrace]:
    """The spans of the steps of the last attempt that were sent, by the steps' names."""
    if not result.trace_id:
        return {}

    def place(span: str) -> str:
        return format_trace_url(template, result.trace_id, span)

    found = {}
    for step in result.steps:
        if step.status == "skipped" or step.started_at is None:
            continue
        where = (result.id, result.attempts, step.index)
        documents = [
            (f"page {one.url}", place(navigation_span_id(*where, number))) for number, one in enumerate(step.navigations)
        ]
        requests = [
            (f"{one.method} {one.url}", place(one.span_id or request_span_id(*where, number)))
            for number, one in enumerate(step.requests.entries)
        ]
        found[step.name] = StepTrace(step=place(step_span_id(*where)), parts=(*documents, *requests))
    return found


def _pictures(data: RunData) -> list[Picture]:
    """The saved pictures; for steps of the last attempt without one, pictures from the trace."""
    images = {kind.name for kind in list_shown_as("image") if kind.filmed}
    saved = [one for one in data.artifacts if one.kind in images and one.there]
    now = [one for one in saved if one.attempt == data.row.attempts]
    names = list(dict.fromkeys([*(step.name for step in data.result.steps), *(one.step for one in now)])) if data.result else []
    found = [_saved(data, one) for one in saved if one not in now or not names]
    for name in names:
        own = [_saved(data, one) for one in now if one.step == name]
        found += own or [_taken(one) for one in data.frames if one.step == name]
    return found


def _names(how: str) -> set[str]:
    return {kind.name for kind in list_shown_as(how)}


def _saved(data: RunData, one: Kept) -> Picture:
    when = f"attempt {one.attempt}" if data.row.attempts > 1 else ""
    return Picture(path=f"/artifacts/{one.id}", step=one.step or "the run", when=when)


def _taken(one: FilmFrame) -> Picture:
    return Picture(path=f"/artifacts/{one.artifact}/frames/{one.number}", step=one.step, when=f"{one.at_seconds:.2f} s")


def show_trace(site: Site, request: Request) -> Response:
    """The viewer, in a frame of the page."""
    with site.read(request) as connection:
        data = read_run(connection, site.archive, request.path_params["run"])
    if data is None:
        return run_not_found(request)
    kept = [one for one in data.artifacts if one.kind == "trace" and one.there]
    if not kept:
        return render_problem(
            request, 404, 'This run has no trace, or it has been removed; `trace = "on"` keeps one of every run.'
        )
    wanted = request.query_params.get("attempt", "")
    chosen = next((one for one in kept if str(one.attempt) == wanted), kept[-1])
    return render_page(request, "trace.html", section="Runs", data=data, row=data.row, traces=kept, chosen=chosen)


def run_not_found(request: Request) -> Response:
    """The page for a run that is not stored."""
    return render_problem(request, 404, f"No run {request.path_params['run'][:60]!r} is stored.")
