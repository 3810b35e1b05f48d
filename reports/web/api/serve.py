"""The API's routes: each endpoint of the table, its description, and a page that lists them."""

from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from reports.web.api import openapi, parameter, table
from reports.web.api.endpoint import ENDPOINTS, Asked, Endpoint
from reports.web.api.parameter import LONGEST_TEXT
from reports.web.query.time_range import BadRequest
from reports.web.render import html as render
from reports.web.render.problem import problem
from reports.web.site import Handler, Site, routed

ROOT = "/api/v1"
HEADERS = {**render.HEADERS, "Vary": "Accept, Authorization, Cookie"}


def routes(site: Site) -> list[BaseRoute]:
    """Its addresses."""
    return [
        routed(site, ROOT, page),
        routed(site, f"{ROOT}/openapi.json", describe),
        *(routed(site, ROOT + one.path, answering(one)) for one in ENDPOINTS),
    ]


def answering(endpoint: Endpoint) -> Handler:
    """The handler of an endpoint."""
    known = endpoint.every_parameter

    def answer(site: Site, request: Request) -> Response:
        given = {**parameter.read(request.query_params.multi_items(), known), **request.path_params}
        for name in endpoint.in_path:
            if len(given[name]) > LONGEST_TEXT:
                raise BadRequest(f"{name}: is no name; {LONGEST_TEXT} characters are the most")
        with site.store.snapshot() as connection:
            data = endpoint.answer(Asked(connection, site, site.span(request), given))
        if data is None and not endpoint.in_path:
            return problem(request, 404, "No page view is stored yet.")
        if data is None:
            name = endpoint.in_path[-1]
            return problem(request, 404, f"There is no {name} {given[name]!r}.")
        if endpoint.rows and _as_csv(request, given["format"]):
            return _csv(endpoint, given.get("list") or endpoint.rows[0], data)
        return Response(msgspec.json.encode(data), 200, HEADERS, "application/json")

    return answer


def _as_csv(request: Request, wanted: str | None) -> bool:
    kinds = [one.partition(";")[0].strip() for one in request.headers.get("accept", "").split(",")]
    return wanted == "csv" or (wanted is None and "text/csv" in kinds and "application/json" not in kinds)


def _csv(endpoint: Endpoint, listed: str, data: Struct) -> Response:
    name = endpoint.path.strip("/").replace("/", "-").replace("{", "").replace("}", "")
    name += f"-{listed}" if len(endpoint.rows) > 1 else ""
    rows: tuple[Struct, ...] = getattr(data, listed)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(table.written(rows, _row(endpoint, listed)), 200, headers, "text/csv; charset=utf-8")


def _row(endpoint: Endpoint, name: str) -> type[Struct]:
    """The struct of which an endpoint has a list of this name."""
    info: Any = msgspec.inspect.type_info(endpoint.struct)
    listed = next(one.type for one in info.fields if one.name == name)
    row: type[Struct] = listed.item_type.cls
    return row


def describe(site: Site, request: Request) -> Response:  # noqa: ARG001 (a handler is given both)
    """`/api/v1/openapi.json`."""
    root = render.root(request) + ROOT
    return Response(msgspec.json.encode(openapi.document(ENDPOINTS, root)), 200, HEADERS, "application/json")


def page(site: Site, request: Request) -> Response:  # noqa: ARG001
    """`/api/v1`, for people."""
    return render.page(request, "api.html", endpoints=ENDPOINTS, api=render.root(request) + ROOT)
