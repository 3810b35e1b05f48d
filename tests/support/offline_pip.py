"""A pip without a network: it installs from a clone or a wheel, and takes packages from the environment of the tests.

An environment that it fills has what was asked for, what that requires, and nothing else; so a page that forgets an extra fails its
test. It knows the few words that documents use, and refuses all others.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME = "journey-runner"
SCRIPT = """#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""


def main(site: Path, python: Path, words: list[str]) -> None:
    """Does what `pip WORDS` would; `site` is the environment's site-packages. Ends the process with 1 and a message otherwise."""
    parser = argparse.ArgumentParser(prog="pip", add_help=False, allow_abbrev=False)
    for option in ("--quiet", "--disable-pip-version-check", "--no-deps"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("command", choices=["install", "wheel"])
    parser.add_argument("--wheel-dir", type=Path)
    parser.add_argument("-e", "--editable", action="append", default=[])
    parser.add_argument("what", nargs="*")
    given = parser.parse_intermixed_args(words)
    if given.command == "wheel":
        (source,) = given.what
        build(Path(source), given.wheel_dir)
        return
    for what, editable in [*((one, True) for one in given.editable), *((one, False) for one in given.what)]:
        found = re.fullmatch(r"(.+?)(?:\[([\w,-]+)\])?", what)
        assert found is not None
        path = Path(found[1])
        if not path.exists():
            sys.exit(f"pip: {what}: no such file or folder, and there is no index here")
        wheel = build(path, Path(os.environ["OFFLINE_WHEELS"])) if path.is_dir() else path
        unpack(wheel, site, python, path if editable else None)
        extras = set(found[2].split(",")) if found[2] else set()
        own = next(one for one in distributions(path=[str(site)]) if one.name == NAME)
        for needed in closure(own, extras):
            link(needed, site, python)


def build(source: Path, folder: Path) -> Path:
    """The wheel of a clone, whose scripts for pages are built already: npm would need a network."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = next(folder.glob("*.whl"), None)
    if wheel is None:
        environment = {**os.environ, "HATCH_BUILD_NO_HOOKS": "true"}
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder.absolute())]
        subprocess.run(command, cwd=source, env=environment, check=True, stdout=sys.stderr)
        (wheel,) = folder.glob("*.whl")
    return wheel


def unpack(wheel: Path, site: Path, python: Path, editable: Path | None) -> None:
    """Puts a wheel into an environment; of one that is editable only its metadata, and a line that leads to the clone."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if editable is None or ".dist-info/" in name]
        archive.extractall(site, names)
    (data,) = site.glob("journey_runner-*.dist-info")
    origin: dict[str, object] = {"url": (editable or wheel).absolute().as_uri()}
    origin |= {"dir_info": {"editable": True}} if editable else {"archive_info": {}}
    (data / "direct_url.json").write_text(json.dumps(origin))
    if editable:
        (site / "_editable_impl_journey_runner.pth").write_text(f"{editable.absolute()}\n")
    scripts(Distribution.at(data), python)


def closure(root: Distribution, extras: set[str]) -> Iterator[Distribution]:
    """What `root` requires with these extras, and what that requires, each once."""
    seen: set[str] = set()
    waiting = list(requirements(root, extras))
    while waiting:
        one = waiting.pop()
        key = f"{canonicalize_name(one.name)}{sorted(one.extras)}"
        if key in seen:
            continue
        seen.add(key)
        try:
            found = distribution(one.name)
        except PackageNotFoundError:
            sys.exit(f"pip: {one} is not among the packages of the tests")
        yield found
        waiting += requirements(found, set(one.extras))


def requirements(of: Distribution, extras: set[str]) -> Iterator[Requirement]:
    for line in of.requires or ():
        one = Requirement(line)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield one


def link(found: Distribution, site: Path, python: Path) -> None:
    """Links the files of an installed package, the folders that it has for itself as one."""
    home = Path(str(found.locate_file("")))
    for part in sorted({Path(file).parts[0] for file in found.files or () if Path(file).parts[0] not in {"..", "__pycache__"}}):
        target = site / part
        if target.is_symlink() or target.exists():
            continue
        target.symlink_to(home / part)
    scripts(found, python)


def scripts(found: Distribution, python: Path) -> None:
    """The programs of a package."""
    for one in found.entry_points:
        if one.group == "console_scripts":
            program = python.parent / one.name
            program.write_text(SCRIPT.format(python=python, module=one.module, function=one.attr))
            program.chmod(0o755)


def make_environment(python: Path, folder: Path, words: Iterable[str]) -> None:
    """What `python -m venv` does, with this program for pip."""
    subprocess.run([python, "-m", "venv", "--without-pip", *words, str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    inside = folder.absolute() / "bin" / "python"
    (site / "pip").mkdir()
    call = [sys.executable, str(Path(__file__)), str(site.absolute()), str(inside)]
    (site / "pip" / "__init__.py").touch()
    (site / "pip" / "__main__.py").write_text(f"import os, sys\nos.execv({call[0]!r}, [*{call!r}, *sys.argv[1:]])\n")
    program = folder / "bin" / "pip"
    program.write_text(f'#!/bin/sh\nexec {inside} -m pip "$@"\n')
    program.chmod(0o755)


if __name__ == "__main__":
    if sys.argv[1] == "venv":
        make_environment(Path(sys.argv[2]), Path(sys.argv[-1]), sys.argv[3:-1])
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]), [unquote(word) for word in sys.argv[3:]])
