"""Requests that fit the description of the API, or do not: loading Schemathesis takes longer than collecting many tests."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, openapi
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

# What a schema cannot say (`from` before `to`, a run that there is) is refused though it fits the schema.
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
EXCLUDED = [positive_data_acceptance]


def operations(document: dict[str, Any]) -> list[Any]:
    """The operations that a description has."""
    schema = openapi.from_dict(document)
    # An address that is too long is refused before its parameters are looked at.
    schema.config.checks.negative_data_rejection.expected_statuses = ["400", "404", "413", "414"]
    operations = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operations.append(found.ok())
    return operations


def ask(operation: Any, mode: GenerationMode, names: dict[str, str], address: str, seen: dict[str, set[int]]) -> None:
    """Sends requests of a kind, with these names in their path."""

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        case.path_parameters.update(names)
        # Changes are made from a page of the dashboard, or with a token.
        case.headers = {**(case.headers or {}), "sec-fetch-site": "same-origin"}
        response = case.call_and_validate(base_url=address, excluded_checks=EXCLUDED)
        seen.setdefault(case.path, set()).add(response.status_code)

    send()
