"""A project's own package or module that is called like an installed one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.dsl.discovery import load_journeys
from runner.errors import DiscoveryError
from tests.support.thorough import thorough_but

INSTALLED = {
    "teaparts/cups/__init__.py": "SIZE = 3",
    "teaparts/pots.py": "SIZE = 9",
    "teawhole/__init__.py": "LEAF = 1",
}
"""A package to which several distributions contribute (no `__init__.py`), and one that is whole."""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with INSTALLED, on Python's path."""
    write(tmp_path / "site", INSTALLED)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield
    for name in [name for name in sys.modules if name.startswith("tea")]:
        del sys.modules[name]


def load(project: Path, files: dict[str, str], imports: str) -> None:
    """Loads a journey file of a project that begins with `imports`."""
    journey = "from runner import journey\n@journey\ndef walk(page): page.goto('/')\n"
    write(project, {**files, "journey.toml": "", "walk.py": f"{imports}\n{journey}"})
    load_journeys(project / "walk.py")


BESIDE = {
    "part": (
        {"teaparts/own.py": "N = 1"},
        "import teaparts.own, teaparts.pots\nassert teaparts.own.N + teaparts.pots.SIZE == 10",
    ),
    "name": ({"teaparts/own.py": "N = 1"}, "from teaparts import own, cups"),
    "deep": ({"teaparts/new/deep/own.py": "N = 1"}, "from teaparts.new.deep.own import N\nfrom teaparts import pots"),
    "whole": (
        {"teaparts/__init__.py": "from .own import N", "teaparts/own.py": "N = 1"},
        "import teaparts, teaparts.pots\nassert teaparts.N + teaparts.pots.SIZE == 10",
    ),
    "both": ({"teaparts/pots.py": "SIZE = 0"}, "import teaparts.pots\nassert teaparts.pots.SIZE == 9"),
}


@pytest.mark.parametrize("first", thorough_but(1, BESIDE))
@pytest.mark.parametrize("case", [*BESIDE])
def test_a_project_adds_to_a_package_that_is_installed_in_parts(tmp_path: Path, first: str, case: str) -> None:
    load(tmp_path / "first", *BESIDE[first])
    load(tmp_path / "second", *BESIDE[case])
    left = {name for name, module in sys.modules.items() if str(tmp_path / "first") in str(getattr(module, "__file__", ""))}
    assert not left & {"teaparts", "teaparts.own", "teaparts.pots", "teaparts.new.deep.own"}


@pytest.mark.parametrize(
    ("files", "imports", "hint"),
    [
        ({"teawhole/own.py": ""}, "import teawhole.own", "'teawhole' is an installed package, which takes precedence: rename the one"),
        ({"teawhole/own.py": ""}, "from teawhole import own", "'teawhole' is an installed package, which takes precedence"),
        ({"teawhole/__init__.py": "N = 1"}, "from teawhole import N", "'teawhole' is an installed package, which takes precedence"),
        ({"teawhole.py": "N = 1"}, "from teawhole import N", "'teawhole' is an installed package, which takes precedence"),
        ({"teaparts.py": "N = 1"}, "from teaparts import N", "'teaparts' is an installed package in several parts, which takes precedence"),
        ({}, "import teaparts.own", "'teaparts' is an installed package in several parts, none of which has 'own', nor has the project"),
        ({"platform/own.py": ""}, "from platform import own", "'platform' is a module of Python, which takes precedence"),
        ({"runner/own.py": ""}, "import runner.own", "'runner' is a package of this tool, which takes precedence"),
        ({}, "import teanothing", "install it, or put teanothing.py beside the journey or in a folder above it"),
    ],
)  # fmt: skip
def test_the_message_names_what_hides_a_module_of_the_project(
    tmp_path: Path, files: dict[str, str], imports: str, hint: str
) -> None:
    with pytest.raises(DiscoveryError) as error:
        load(tmp_path / "project", files, imports)
    assert hint in str(error.value)
