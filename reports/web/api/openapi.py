"""The API described by OpenAPI 3.1, made from the table of endpoints and the structs that they answer with."""

from collections.abc import Sequence
from typing import Any

import msgspec

import runner
from reports.web.api.endpoint import Endpoint
from reports.web.api.parameter import LONGEST_TEXT

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
    "405": "Only GET is answered.",
    "414": "The address is too long.",
    "421": "The server does not answer under this name.",
    "429": "Too many wrong tokens; `Retry-After` says when to come back.",
    "503": "The store does not answer.",
}


def describe_api(endpoints: Sequence[Endpoint], root: str) -> dict[str, Any]:
    """The whole description; `root` is where the API stands."""
    found, components = msgspec.json.schema_components(
        [one.struct for one in endpoints], ref_template="#/components/schemas/{name}"
    )
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
        "paths": {one.path: {"get": _operation(one, schema)} for one, schema in zip(endpoints, found, strict=True)},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Endpoint, schema: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": "^[^/]+$"},
        }
        for name in one.in_path
    ]
    parameters += [
        {"name": given.name, "in": "query", "description": given.means, "schema": given.schema()}
        for given in one.every_parameter
    ]
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if one.rows:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {
        "operationId": one.path.strip("/").replace("/", "_").replace("{", "").replace("}", ""),
        "summary": one.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": one.struct.__doc__ or one.summary, "content": content},
            **{
                status: {
                    "description": means,
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for status, means in ERRORS.items()
            },
        },
    }
