"""The API described by OpenAPI 3.1, made from the table of endpoints and the structs that they answer with."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import runner
from reports.web.api import run_stream
from reports.web.api.change import Change
from reports.web.api.endpoint import Endpoint, in_path
from reports.web.api.parameter import LONGEST_TEXT, Parameter

PROBLEM = {
    "type": "object",
    "description": "What is wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and what to do."},
        "parameter": {"type": "string", "description": "Which parameter is wrong."},
    },
}
ERRORS = {
    "400": "A parameter is wrong; `parameter` names it.",
    "401": "A token is needed: `Authorization: Bearer …`.",
    "404": "There is nothing of this name.",
    "405": "This method is not answered here.",
    "414": "The address is too long.",
    "421": "The server does not answer under this name.",
    "429": "Too many wrong tokens; `Retry-After` says when to come back.",
    "503": "The store does not answer.",
}
REFUSALS = {
    "403": "It was sent by a page of another site, or needs the role `operate`.",
    "413": "The body is too large.",
    "415": "The body is of another type.",
}


CONFLICT = {"409": "The idempotency key came with another request before."}


def describe_api(endpoints: Sequence[Endpoint], changes: Sequence[Change], root: str) -> dict[str, Any]:
    """The whole description; `root` is where the API stands."""
    described: list[Endpoint | Change] = [*endpoints, *changes]
    found, components = msgspec.json.schema_components(
        [*(one.struct for one in described), *_bodies(changes)], ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for one, schema in zip(described, found, strict=False):
        method, operation = (
            ("get", _operation(one, schema)) if isinstance(one, Endpoint) else (one.method, _change(one, schema))
        )
        paths.setdefault(one.path, {})[method] = operation
    paths[run_stream.PATH] = {"get": run_stream.describe_stream(_path_parameters(in_path(run_stream.PATH)), _problems(ERRORS))}
    schemas = {**components, "Problem": PROBLEM}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "journey",
            "version": runner.__version__,
            "description": "Everything that the dashboard shows. Times are UTC, durations seconds, sizes bytes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": root or "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _bodies(changes: Sequence[Change]) -> list[type[msgspec.Struct]]:
    return [one.body_struct for one in changes if one.body_struct is not None]


def _operation(one: Endpoint, schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if one.rows:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {
        "operationId": _name(one.path),
        "summary": one.summary,
        "parameters": [*_path_parameters(one.in_path), *_query_parameters(one.every_parameter)],
        "responses": {"200": {"description": one.struct.__doc__ or one.summary, "content": content}, **_problems(ERRORS)},
    }


def _change(one: Change, schema: dict[str, Any]) -> dict[str, Any]:
    sent = one.body_struct
    schema_of_body = {"$ref": f"#/components/schemas/{sent.__name__}"} if sent else {"type": "string", "format": "binary"}
    body = {"required": True, "content": {one.body: {"schema": schema_of_body}}}
    headers = [
        {"name": name, "in": "header", "description": means, "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"}}
        for name, means in one.headers.items()
    ]
    return {
        "operationId": f"{one.method}_{_name(one.path)}",
        "summary": one.summary,
        "parameters": [*_path_parameters(in_path(one.path)), *_query_parameters(one.parameters), *headers],
        **({"requestBody": body} if one.body else {}),
        "responses": {
            f"{one.status}": {
                "description": one.struct.__doc__ or one.summary,
                "content": {"application/json": {"schema": schema}},
            },
            **_problems(ERRORS | REFUSALS | (CONFLICT if one.headers else {})),
        },
    }


def _name(path: str) -> str:
    return path.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace("-", "_")


def _path_parameters(names: Sequence[str]) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": "^[^/]+$"}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(parameters: Sequence[Parameter]) -> list[dict[str, Any]]:
    return [{"name": one.name, "in": "query", "description": one.means, "schema": one.schema()} for one in parameters]


def _problems(statuses: Mapping[str, str]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": means, "content": content} for status, means in statuses.items()}
