"""From files to test items: each journey becomes a test with the name of its function, such as `journeys/buy.py::buy`."""

import keyword
import re
from collections.abc import Callable, Generator, Sequence
from functools import partial, wraps
from inspect import Parameter, Signature, isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runner.dsl import discovery
from runner.dsl.journey import Journey
from runner.errors import ConfigError, DiscoveryError
from runner.installation import install_command
from runner.pytest_plugin.activation import activate
from runner.pytest_plugin.session import JOURNEY, PROJECT, SETUP

_DECLARED = pytest.StashKey[dict[str, Journey]]()

FROM_PYTEST = ("page", "context", "browser")
"""What a journey gets from pytest-playwright's fixtures, which a project may override; the runner provides the rest."""
OBSERVE = "_journey_observe"
"""The fixture that begins to observe the browser context. Requested first, so that it runs before the first page is opened."""


def missing_plugin() -> str:
    """What to say when pytest-playwright is not there."""
    return f"pytest-playwright is missing; install it with: {install_command('test')}"


class JourneyModule(pytest.Module):
    """A file of a folder of journeys, imported as `journey run` imports it; nothing but journeys is collected from it."""

    def _getobj(self) -> ModuleType:
        try:
            return discovery.import_file(self.path)
        except DiscoveryError as error:
            raise self.CollectError(str(error)) from error

    def istestfunction(self, obj: object, name: str) -> bool:  # noqa: ARG002 (pytest's)
        """A helper beside a journey is not a test, whatever its name."""
        return False

    def istestclass(self, obj: object, name: str) -> bool:  # noqa: ARG002 (pytest's)
        """As for functions."""
        return False


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Adds a file in a folder of journeys that pytest would skip, as its name does not match `python_files`."""
    collectors = yield
    project = parent.config.stash[PROJECT]
    if project.usable and project.contains(file_path) and not any(isinstance(one, pytest.Module) for one in collectors):
        return [*collectors, JourneyModule.from_parent(parent, path=file_path)]
    return collectors


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """The same for a file that is named on the command line, which pytest treats as a test module."""
    patterns: list[str] = parent.config.getini("python_files")
    if not parent.config.stash[PROJECT].contains(module_path) or any(map(module_path.match, patterns)):
        return None
    module: pytest.Module = JourneyModule.from_parent(parent, path=module_path)
    return module


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, name: str, obj: object) -> Sequence[pytest.Item] | None:
    """The item of a journey, in a file of journeys or of tests; none for one that was imported from elsewhere."""
    if (
        not isfunction(obj)
        or not isinstance(obj.__dict__.get("__journey__"), Journey)
        or not isinstance(collector, pytest.Module)
    ):
        return None
    declared = discovery.journey_of(obj, collector.obj)
    if declared is None or next(known for known, value in vars(collector.obj).items() if value is obj) != name:
        return []  # of another file, or a second name of one
    project = collector.config.stash[PROJECT]
    if not project.usable:
        problem = f"{declared.where}: {declared.name} cannot be run: {missing_plugin()}"
        if isinstance(collector, JourneyModule):
            raise collector.CollectError(problem)
        collector.warn(pytest.PytestCollectionWarning(problem))
        return []
    try:
        _ = project.secrets
        journeys = collector.stash.setdefault(_DECLARED, {one.name: one for one in discovery.list_declared(collector.obj)})
    except (ConfigError, DiscoveryError) as error:
        raise collector.CollectError(str(error)) from error
    journey = journeys[declared.name]
    items = list(collector._genfunctions(name, _request_fixtures(journey)))
    for item in items:
        item.stash[JOURNEY] = journey
        item.stash[SETUP] = journeys.get(journey.options.signed_in_by or "")
        item.extra_keyword_matches.add(journey.name)
        for marker in ("journey", *(_register_marker(tag, collector.config) for tag in journey.options.tags)):
            item.add_marker(marker)
    return items


def _request_fixtures(journey: Journey) -> Callable[..., object]:
    """A function with the fixtures that pytest is to set up for the journey; its own `request` is not pytest's fixture of that name."""
    # A check opens no page: only the address of the site is asked for.
    wanted = (
        ("base_url",) if journey.kind == "check" else (OBSERVE, *(name for name in FROM_PYTEST if name in journey.parameters))
    )

    @wraps(journey.function)
    def asking(**_: Any) -> None:
        raise TypeError(f"{journey.name} is called by the plugin")

    signature = Signature([Parameter(name, Parameter.KEYWORD_ONLY) for name in wanted])
    asking.__signature__ = signature  # type: ignore[attr-defined]
    return asking


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    """pytest-playwright puts the browser into each test's id; a journey's id names it only when there are several."""
    if hasattr(metafunc.function, "__journey__"):
        metafunc.parametrize = partial(_parametrize, metafunc.parametrize)  # type: ignore[method-assign]
    return (yield)


def _parametrize(parametrize: Callable[..., None], names: object, values: Sequence[object], **options: Any) -> None:
    if names == "browser_name" and len(values) == 1:
        options["ids"] = [pytest.HIDDEN_PARAM]
    parametrize(names, values, **options)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Activates the plugin when the first journey is collected."""
    if JOURNEY in item.stash:
        activate(item.config)


def to_marker_name(tag: str) -> str:
    """A tag as the name of a marker: other characters than letters and digits become `_`; `tag_` is added where the name is not valid.

    >>> to_marker_name("checkout"), to_marker_name("slow 3G"), to_marker_name("2fa"), to_marker_name("if")
    ('checkout', 'slow_3G', 'tag_2fa', 'tag_if')
    """
    name = re.sub(r"\W", "_", tag)
    return name if name[0].isalpha() and not keyword.iskeyword(name) else f"tag_{name}"


def _register_marker(tag: str, config: pytest.Config) -> str:
    """Registers the marker of a tag and returns its name. A tag that pytest uses with arguments (`skip timeout`) gets the prefix `tag_`."""
    name = to_marker_name(tag)
    known = [line.partition(":")[0].strip() for line in config.getini("markers")]
    if any(line.startswith(f"{name}(") for line in known):
        name = f"tag_{name}"
    if name not in known:
        config.addinivalue_line("markers", f"{name}: journeys with the tag {tag!r}")
    return name
