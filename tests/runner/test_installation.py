"""The commands that hints propose, by how the package is installed."""

import ast
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
METADATA = """Metadata-Version: 2.4
Name: journey-runner
Version: 0.1.0
Requires-Dist: starlette>=1.0; extra == 'demo'
Requires-Dist: argon2-cffi>=23.1; extra == 'serve'
Requires-Dist: uvloop>=0.20; (sys_platform != 'win32') and extra == 'serve'
"""
ASK = (
    "from runner.installation import *\n"
    "print(install_command('serve'), journey_command('show', 'last run'), python_command('-m', 'x'), source_url(), sep='\\n')"
)
Ask = Callable[..., list[str]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it."""
    folder = tmp_path_factory.mktemp("installation") / "env"
    venv.create(folder, with_pip=False)
    return folder


@pytest.fixture
def ask(environment: Path, tmp_path: Path) -> Ask:
    """Asks for the commands, in an environment whose `direct_url.json` says `origin`."""

    def asked(origin: object, cwd: Path = tmp_path, pip: bool = True, activated: bool = True) -> list[str]:
        library = tmp_path / "library"
        data = library / "journey_runner-0.1.0.dist-info"
        data.mkdir(parents=True)
        (library / "runner").mkdir()
        (library / "runner" / "__init__.py").touch()
        (library / "runner" / "installation.py").symlink_to(ROOT / "runner" / "installation.py")
        (data / "METADATA").write_text(METADATA)
        if origin:
            (data / "direct_url.json").write_text(json.dumps(origin))
        programs = environment / "bin"
        for name in ("journey", "pip"):
            (programs / name).write_text("#!/bin/sh\n")
            (programs / name).chmod(0o755)
        if pip:
            (library / "pip.py").touch()
        import msgspec

        (library / "msgspec").symlink_to(Path(msgspec.__file__).parent)
        path = [str(programs)] if activated else []
        ended = subprocess.run(
            [programs / "python", "-c", ASK],
            cwd=cwd,
            env={"PATH": os.pathsep.join([*path, "/usr/bin", "/bin"]), "PYTHONPATH": str(library), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.splitlines()

    return asked


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "a clone"
    folder.mkdir()
    return folder


def test_a_clone_is_installed_again_as_it_was(ask: Ask, clone: Path) -> None:
    answer = ask({"url": clone.as_uri(), "dir_info": {"editable": True}}, cwd=clone)
    assert answer == ["pip install -e '.[serve]'", "journey show 'last run'", "python -m x", "None"]


def test_elsewhere_the_clone_is_named_by_its_path(ask: Ask, clone: Path) -> None:
    answer = ask({"url": clone.as_uri(), "dir_info": {}}, cwd=Path("/"))
    assert answer[0] == f"pip install '{clone}[serve]'"


def test_a_wheel_is_named_while_it_is_there(ask: Ask, tmp_path: Path) -> None:
    wheel = tmp_path / "journey_runner-0.1.0-py3-none-any.whl"
    wheel.touch()
    origin = {"url": wheel.as_uri(), "archive_info": {}}
    assert ask(origin)[0] == "pip install './journey_runner-0.1.0-py3-none-any.whl[serve]'"


@pytest.mark.parametrize("origin", [None, {"url": "file:///gone/journey_runner-0.1.0-py3-none-any.whl", "archive_info": {}}])
def test_what_is_not_known_is_replaced_by_the_packages_themselves(ask: Ask, origin: object) -> None:
    answer = ask(origin)
    assert answer[0] == "pip install 'argon2-cffi>=23.1' 'uvloop>=0.20'"
    assert answer[3] == "None"


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ({"url": "https://packages.example/j.whl", "archive_info": {}}, "https://packages.example/j.whl"),
        (
            {"url": "https://git.example/j", "vcs_info": {"vcs": "git", "commit_id": "abc", "requested_revision": "v1"}},
            "git+https://git.example/j@v1",
        ),
    ],
)
def test_an_address_is_named_whole(ask: Ask, origin: object, address: str) -> None:
    answer = ask(origin)
    assert (answer[0], answer[3]) == (f"pip install 'journey-runner[serve] @ {address}'", address)


def test_an_address_with_a_password_is_not_written_into_files(ask: Ask) -> None:
    assert ask({"url": "https://me:hush@packages.example/j.whl", "archive_info": {}})[3] == "None"


def test_without_activation_commands_are_paths_that_can_be_pasted(ask: Ask, environment: Path) -> None:
    answer = ask(None, cwd=environment.parent, activated=False)
    assert answer[0].startswith("env/bin/python -m pip install ")
    assert answer[1:3] == ["env/bin/journey show 'last run'", "env/bin/python -m x"]


def test_an_environment_of_uv_has_no_pip(ask: Ask) -> None:
    assert ask(None, pip=False)[0].startswith("uv pip install --python python ")


@pytest.mark.long
def test_no_text_installs_the_bare_name_which_no_index_has() -> None:
    bare = re.compile(r"\b(?:pip|pipx|uv tool|uv pip) install [^`#\n]*(?<!/)journey-runner(?!(?:\[[\w,]+\])? @)")
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "Makefile"]
    files += [file for folder in ("runner", "reports", "docs") for file in (ROOT / folder).rglob("*") if file.is_file()]
    texts = {file: file.read_text(errors="ignore") for file in files if "node_modules" not in file.parts}
    assert {str(file.relative_to(ROOT)): bare.findall(text) for file, text in texts.items() if bare.search(text)} == {}


def test_these_tests_run_where_the_program_is_on_path() -> None:
    from runner.installation import journey_command

    assert Path(sys.executable).parent.name == "bin"
    assert journey_command("run") == "journey run"


@pytest.mark.thorough
@pytest.mark.long
def test_no_process_that_is_started_imports_from_the_working_directory() -> None:
    started = 0
    for file in (one for package in ("runner", "reports") for one in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            words = node.elts if isinstance(node, ast.List | ast.Tuple) else node.args if isinstance(node, ast.Call) else []
            given = [one.value for one in words if isinstance(one, ast.Constant)]
            for option in {"-m", "-c"}.intersection(given):
                place = given.index(option)
                assert given[:place].count("-P") == 1, f"{file}: {given} has {option} without -P before it"
                started += 1
    assert started >= 6, "the search has not found what is known to be there"
