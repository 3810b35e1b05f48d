"""CPU profiles of a run, with their functions' places in the original code, by the source maps of the run's release."""

import logging
from typing import Any

from msgspec.structs import replace

from reports.source_maps.map_store import MapStore
from reports.source_maps.resolver import is_installed
from reports.source_maps.script_places import Place, find_originals
from runner.result import RunResult, StepResult

WITHIN = 5.0
"""Seconds in which a map has to be read: a page waits for it, once."""
log = logging.getLogger("journey.dashboard")


def explain_profiles(result: RunResult, maps: MapStore | None) -> RunResult:
    """The same result; the functions of its profiles have a `source` where a map explains them."""
    places = [_place(one) for step in result.steps for one in _functions(step) if one["url"]]
    if not places or not result.release or maps is None or not is_installed():
        return result
    try:
        sources = find_originals(places, result.release, maps, WITHIN)
    except OSError as error:
        log.warning("the functions of run %s are not shown in the original code: %s", result.id, error)
        return result
    return replace(result, steps=tuple(_explain(step, sources) for step in result.steps))


def _functions(step: StepResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _signals(step).get("cpu_profile", {}).get("functions", [])
    return found


def _signals(step: StepResult) -> dict[str, Any]:
    return step.signals if isinstance(step.signals, dict) else {}


def _place(one: dict[str, Any]) -> Place:
    return one["url"], one["line"], one["column"]


def _explain(step: StepResult, sources: dict[Place, str]) -> StepResult:
    if not _functions(step):
        return step
    functions = [{**one, "source": sources.get(_place(one), "")} for one in _functions(step)]
    signals = _signals(step)
    return replace(step, signals={**signals, "cpu_profile": {**signals["cpu_profile"], "functions": functions}})
