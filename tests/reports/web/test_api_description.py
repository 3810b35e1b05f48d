"""The API held against its own description, with requests that nobody has thought of (Schemathesis)."""

from datetime import UTC, datetime

import pytest

from reports.web.api.change import CHANGES, Change
from reports.web.api.endpoint import Endpoint, in_path
from reports.web.api.registry import ENDPOINTS
from reports.web.api.run_stream import PATH as STREAM
from runner.result import RunResult
from tests.reports.web.test_api import REQUEST, filled
from tests.reports.web.visitors import EVIL_ID, EVIL_SESSION
from tests.support.services.dashboard import Visited

__all__ = ["filled"]


@pytest.mark.thorough
@pytest.mark.timeout(400)
def test_the_api_answers_as_its_description_says_whatever_it_is_asked(filled: tuple[Visited, list[RunResult]]) -> None:
    from tests.reports.web.described_requests import NEGATIVE, POSITIVE, ask, operations

    served, runs = filled
    document = served.get("/api/v1/openapi.json").json()
    error = served.get("/api/v1/errors?range=30d").json()["errors"][0]["error"]["id"]
    # Names that there are, so that more than 404 is seen.
    there = {"run": runs[0].id, "journey": "buy", "view": EVIL_ID, "session": EVIL_SESSION, "error": error}
    there["request"] = REQUEST
    served.store.schedulers.register("scheduler", "host", 1, "local", datetime.now(UTC))
    seen: dict[str, set[int]] = {}
    for operation in operations(document):
        method = operation.method.lower()
        known: list[Endpoint | Change] = [*ENDPOINTS, *CHANGES] if method == "get" else [*CHANGES]
        if operation.path == STREAM:
            continue
        endpoint = next(one for one in known if one.path == operation.path and getattr(one, "method", "get") == method)
        named = {name: there[name] for name in in_path(endpoint.path)}
        # Any text is one that a path may hold: where there is nothing but a path, nothing can be wrong.
        asks = endpoint.parameters or getattr(endpoint, "rows", ()) or getattr(endpoint, "body_struct", None)
        wrong = [(NEGATIVE, dict[str, str]())] if asks else []
        # Names that nobody has are another question only where the path holds one.
        unknown = [(POSITIVE, dict[str, str]())] if named else []
        for mode, names in ((POSITIVE, named), *unknown, *wrong):
            ask(operation, mode, names, f"{served.address}/api/v1", seen)
    assert set(seen) == {one.path for one in (*ENDPOINTS, *CHANGES)}
    assert all(statuses & {200, 202} for statuses in seen.values()), seen
    assert all(400 in seen[path] for path in ("/runs", "/users", "/users/journeys", "/sessions"))
