"""The API's routes: each endpoint of the table, its description, and a page that lists them."""

from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from reports.web.api import run_stream
from reports.web.api.change import CHANGES, Change, ChangeRequest
from reports.web.api.endpoint import Endpoint, in_path
from reports.web.api.openapi import describe_api
from reports.web.api.parameter import LONGEST_TEXT, read_parameters
from reports.web.api.registry import ENDPOINTS
from reports.web.api.request import ApiRequest
from reports.web.api.table import format_csv
from reports.web.query.time_range import BadRequest
from reports.web.render.html import INERT_HEADERS, render_page, root_path
from reports.web.render.problem import render_problem
from reports.web.site import Handler, Site, page_route

ROOT = "/api/v1"
HEADERS = {**INERT_HEADERS, "Vary": "Accept, Authorization, Cookie"}


def api_routes(site: Site) -> list[BaseRoute]:
    """Its addresses."""
    return [
        page_route(site, ROOT, show_api),
        page_route(site, f"{ROOT}/openapi.json", show_description),
        run_stream.stream_route(site, ROOT + run_stream.PATH),
        *(page_route(site, ROOT + one.path, make_change_handler(one), methods=[one.method.upper()]) for one in CHANGES),
        *(page_route(site, ROOT + one.path, make_handler(one)) for one in ENDPOINTS),
    ]


def make_handler(endpoint: Endpoint) -> Handler:
    """The handler of an endpoint."""
    known = endpoint.every_parameter

    def answer(site: Site, request: Request) -> Response:
        given = {**read_parameters(request.query_params.multi_items(), known), **request.path_params}
        for name in endpoint.in_path:
            if len(given[name]) > LONGEST_TEXT:
                raise BadRequest(f"{name}: is too long; at most {LONGEST_TEXT} characters are allowed")
        with site.store.snapshot() as connection:
            data = endpoint.answer(ApiRequest(connection, site, site.time_range(request), given))
        if data is None and not endpoint.in_path:
            return render_problem(request, 404, "No page view is stored yet.")
        if data is None:
            name = endpoint.in_path[-1]
            return render_problem(request, 404, f"{name} {given[name]!r} does not exist.")
        if endpoint.rows and _as_csv(request, given["format"]):
            return _csv(endpoint, given.get("list") or endpoint.rows[0], data)
        return Response(msgspec.json.encode(data), 200, HEADERS, "application/json")

    return answer


def make_change_handler(change: Change) -> Handler:
    """The handler of a change; who may make it was decided before (`AccessMiddleware`)."""

    def answer(site: Site, request: Request) -> Response:
        given = {**read_parameters(request.query_params.multi_items(), change.parameters), **request.path_params}
        who = request.scope["access"].name
        data = change.apply(ChangeRequest(site, given, request.scope.get("body", b""), who, request.headers))
        if data is None:
            name = in_path(change.path)[-1]
            return render_problem(request, 404, f"{name} {given[name][:LONGEST_TEXT]!r} does not exist.")
        return Response(msgspec.json.encode(data), change.status, HEADERS, "application/json")

    return answer


def _as_csv(request: Request, wanted: str | None) -> bool:
    kinds = [one.partition(";")[0].strip() for one in request.headers.get("accept", "").split(",")]
    return wanted == "csv" or (wanted is None and "text/csv" in kinds and "application/json" not in kinds)


def _csv(endpoint: Endpoint, listed: str, data: Struct) -> Response:
    name = endpoint.path.strip("/").replace("/", "-").replace("{", "").replace("}", "")
    name += f"-{listed}" if len(endpoint.rows) > 1 else ""
    rows: tuple[Struct, ...] = getattr(data, listed)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(format_csv(rows, _row(endpoint, listed)), 200, headers, "text/csv; charset=utf-8")


def _row(endpoint: Endpoint, name: str) -> type[Struct]:
    """The struct of which an endpoint has a list of this name."""
    info: Any = msgspec.inspect.type_info(endpoint.struct)
    listed = next(one.type for one in info.fields if one.name == name)
    row: type[Struct] = listed.item_type.cls
    return row


def show_description(site: Site, request: Request) -> Response:  # noqa: ARG001 (a handler is given both)
    """`/api/v1/openapi.json`."""
    root = root_path(request) + ROOT
    return Response(msgspec.json.encode(describe_api(ENDPOINTS, CHANGES, root)), 200, HEADERS, "application/json")


def show_api(site: Site, request: Request) -> Response:  # noqa: ARG001
    """`/api/v1`, for people."""
    return render_page(request, "api.html", endpoints=ENDPOINTS, changes=CHANGES, api=root_path(request) + ROOT)
