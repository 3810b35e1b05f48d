"""What a run has replaced in modules and classes reaches neither its own artifacts nor the next run."""

import builtins
import codecs
import colorsys
import json
import pathlib
import struct
import sys
import urllib.request
from types import FunctionType
from typing import Any
from unittest import mock

import pytest

from runner.dsl.project_imports import FILES
from runner.execution.isolation.isolated_run import isolated_run
from tests.conftest import Monitor
from tests.support.thorough import thorough_but


def make_journeys(name: str) -> Any:
    """A function that a journey file would define."""
    return FunctionType((lambda *_: 7).__code__, {"__name__": f"{FILES}walk_1"}, name)


@pytest.mark.long
@pytest.mark.parametrize(
    ("owner", "name"),
    thorough_but(
        3,
        [
            (json, "loads"),
            (json.JSONEncoder, "encode"),
            (struct, "pack"),
            (urllib.request, "urlopen"),
            (pathlib.Path, "exists"),
            (builtins, "len"),
            (builtins, "isinstance"),
            (builtins, "__import__"),
            (colorsys, "rgb_to_hsv"),
        ],
    ),
)
@pytest.mark.parametrize("value", thorough_but(1, [None, mock.MagicMock(), make_journeys("replaced")]))
def test_a_replaced_function_is_back_and_named(owner: Any, name: str, value: object) -> None:
    before = vars(owner)[name]
    with isolated_run() as undone:
        setattr(owner, name, value)
    assert vars(owner)[name] is before
    place = owner.__name__ if owner.__name__ in sys.modules else f"{owner.__module__}.{owner.__qualname__}"
    assert f"{place}.{name}" in undone.replaced
    assert any(f"what the journey replaced and did not put back is as before: {place}.{name}" in note for note in undone.notes)
    assert not undone.spent


@pytest.mark.long
def test_what_the_journey_adds_is_removed_and_what_a_library_keeps_stays() -> None:
    with isolated_run() as undone:
        json.left = make_journeys("left")  # type: ignore[attr-defined]
        json.JSONDecoder.left = make_journeys("left")  # type: ignore[attr-defined]
        json.cache = {}  # type: ignore[attr-defined]
    assert not hasattr(json, "left")
    assert not hasattr(json.JSONDecoder, "left")
    assert vars(json).pop("cache") == {}
    assert undone.replaced == ["json.left", "json.decoder.JSONDecoder.left"]


@pytest.mark.long
def test_a_module_that_is_imported_and_patched_costs_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys")
    with isolated_run() as undone:
        import colorsys as again

        again.rgb_to_hsv = make_journeys("patched")
    assert undone.spent
    assert undone.notes == ["what the journey replaced cannot be undone: colorsys.rgb_to_hsv; the next run gets another worker"]


@pytest.mark.long
def test_a_mock_that_is_left_does_not_cost_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "unittest.mock")
    with isolated_run() as undone:
        from unittest import mock as again

        again.patch("json.loads").start()
    assert undone.replaced == ["json.loads"]
    assert not undone.spent


@pytest.mark.long
def test_import_hooks_and_codecs_are_as_before() -> None:
    def state() -> tuple[object, ...]:
        return sys.meta_path, sys.meta_path[:], sys.path_hooks, sys.path_hooks[:], codecs.lookup_error("strict")

    before = state()
    with isolated_run():
        sys.meta_path = [object()]  # type: ignore[list-item]
        sys.path_hooks.insert(0, lambda _: 1 / 0)  # type: ignore[arg-type, return-value]
        sys.path_importer_cache.clear()
        codecs.register_error("strict", codecs.replace_errors)
    assert state() == before


@pytest.mark.thorough
def test_functions_that_playwright_calls_are_not_the_browsers_fault(monitor: Monitor) -> None:
    result = monitor.run("""
        import json

        @journey
        def walk(page, step):
            with step("look"):
                page.goto("/")
            json.loads = None
            page.title()
    """)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "journey")
    assert "the journey had replaced json.loads" in result.failure.message
    gone = monitor.run("import sys\n@journey\ndef walk(page):\n    page.goto('/')\n    sys.meta_path.clear()")
    assert gone.status == "passed"
    assert monitor.run("@journey\ndef walk(page): page.goto('/')").status == "passed"
