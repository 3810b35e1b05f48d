"""The API held against its own description, with requests that nobody has thought of (Schemathesis)."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from reports.web.api.endpoint import ENDPOINTS
from runner.result import RunResult
from tests.reports.web.test_api import filled
from tests.reports.web.visitors import EVIL_ID, EVIL_SESSION
from tests.support.services.dashboard import Visited

__all__ = ["filled"]
# What a schema cannot say (`from` before `to`, a run that there is) is refused though it fits the schema.
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
EXCLUDED = [positive_data_acceptance]


@pytest.mark.thorough
@pytest.mark.timeout(400)
def test_the_api_answers_as_its_description_says_whatever_it_is_asked(filled: tuple[Visited, list[RunResult]]) -> None:
    served, runs = filled
    document = served.get("/api/v1/openapi.json").json()
    # Names that there are, so that more than 404 is seen.
    there = {"run": runs[0].id, "journey": "buy", "view": EVIL_ID, "session": EVIL_SESSION}
    schema = schemathesis.openapi.from_dict(document)
    # An address that is too long is refused before its parameters are looked at.
    schema.config.checks.negative_data_rejection.expected_statuses = ["400", "404", "414"]
    seen: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        endpoint = next(one for one in ENDPOINTS if one.path == operation.path)
        named = {name: there[name] for name in endpoint.in_path}
        # Any text is one that a path may hold: where there is nothing but a path, nothing can be wrong.
        wrong = [(NEGATIVE, dict[str, str]())] if endpoint.parameters or endpoint.rows else []
        # Names that nobody has are another question only where the path holds one.
        unknown = [(POSITIVE, dict[str, str]())] if named else []
        for mode, names in ((POSITIVE, named), *unknown, *wrong):
            ask(operation, mode, names, f"{served.address}/api/v1", seen)
    assert set(seen) == {one.path for one in ENDPOINTS}
    assert all(200 in statuses for statuses in seen.values()), seen
    assert all(400 in seen[path] for path in ("/runs", "/users", "/users/journeys", "/sessions"))


def ask(operation: Any, mode: GenerationMode, names: dict[str, str], address: str, seen: dict[str, set[int]]) -> None:
    """Sends requests of a kind, with these names in their path."""

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        case.path_parameters.update(names)
        response = case.call_and_validate(base_url=address, excluded_checks=EXCLUDED)
        seen.setdefault(case.path, set()).add(response.status_code)

    send()
