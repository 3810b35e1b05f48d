"""How this package is installed: the command that adds an extra to it, and the one that starts `journey`.

Every hint, here and in `reports`, takes its commands from here. The name `journey-runner` alone is never proposed: no package
index has it, so whoever registered it there would be installed. docs/install.md says the same to readers.
"""

import re
import shlex
import shutil
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "journey-runner"
SOURCE = Path(__file__).parents[1]
"""The folder that holds this package: the clone, or a `site-packages`."""


class _Directory(Struct):
    editable: bool = False


class _Commit(Struct):
    vcs: str
    commit_id: str
    requested_revision: str | None = None


class _Origin(Struct):
    """`direct_url.json`, as https://packaging.python.org/en/latest/specifications/direct-url/ describes it."""

    url: str
    dir_info: _Directory | None = None
    vcs_info: _Commit | None = None


def install_command(extra: str, *more: str) -> str:
    """The command that installs this package with these extras, for a shell in the working directory.

    It names what this installation was made from: a clone, a wheel or an address. If that is not known, or no longer there, it
    names the packages that the extras stand for.
    """
    return f"{_installer()} {shlex.join(_what((extra, *more)))}"


def journey_command(*words: str, folder: Path | None = None) -> str:
    """A command of `journey` that can be pasted into a shell in `folder` (the working directory if not given)."""
    on_path = shutil.which("journey")
    programs = [one / "journey" for one in _script_folders()]
    if on_path is not None and Path(on_path).resolve() in [one.resolve() for one in programs]:
        start = ["journey"]
    else:
        program = next((one for one in programs if one.is_file()), None)
        start = [_shown(program, folder)] if program else [_python(folder), "-P", "-m", "runner.cli"]
    return shlex.join([*start, *words])


def python_command(*words: str) -> str:
    """A command of this installation's Python that can be pasted into a shell in the working directory."""
    return shlex.join([_python(), *words])


def source_url() -> str | None:
    """Where another machine can install this package from; None if it came from this machine's own disk, or from an index.

    A repository at a commit is `git+https://…@commit`. An address with a password is not given away.
    """
    origin = _origin()
    if origin is None or urlsplit(origin.url).scheme not in {"http", "https", "ssh"} or urlsplit(origin.url).password:
        return None
    return _address(origin)


def _what(extras: tuple[str, ...]) -> list[str]:
    with_extras = f"[{','.join(extras)}]"
    found = _distribution()
    origin = _origin()
    if found is None:
        return ["-e", f"{_shown(SOURCE)}{with_extras}"]
    if origin is None:
        return _packages(found, extras)
    if not origin.url.startswith("file:"):
        return [f"{NAME}{with_extras} @ {_address(origin)}"]
    # It brings an HTTP client with it, which is slow to import and which few commands need.
    from urllib.request import url2pathname

    path = Path(url2pathname(urlsplit(origin.url).path))
    if not path.exists():
        return _packages(found, extras)
    editable = origin.dir_info is not None and origin.dir_info.editable
    return [*(["-e"] if editable else []), f"{_shown(path)}{with_extras}"]


def _packages(found: "Distribution", extras: tuple[str, ...]) -> list[str]:
    """The requirements of the extras, by the metadata that came with this package."""
    needed = []
    for line in found.requires or ():
        requirement, _, condition = line.partition(";")
        if set(re.findall(r"extra == ['\"]([\w.-]+)['\"]", condition)) & set(extras):
            needed.append(requirement.strip())
    return needed


def _address(origin: _Origin) -> str:
    commit = origin.vcs_info
    return f"{commit.vcs}+{origin.url}@{commit.requested_revision or commit.commit_id}" if commit else origin.url


def _distribution() -> "Distribution | None":
    """This package's metadata; None when it is imported from a folder where it was never installed."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(NAME)
    except PackageNotFoundError:
        return None


def _origin() -> _Origin | None:
    found = _distribution()
    text = found.read_text("direct_url.json") if found else None
    return msgspec.json.decode(text, type=_Origin) if text else None


def _installer() -> str:
    if find_spec("pip") is None:
        # uv makes environments without pip.
        return f"uv pip install --python {shlex.quote(_python())}"
    on_path = shutil.which("pip")
    if on_path is not None and Path(on_path).parent in _script_folders():
        return "pip install"
    return f"{shlex.quote(_python())} -m pip install"


def _script_folders() -> list[Path]:
    """Where this Python's programs are: of the environment, then of the user."""
    user = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    return [Path(sys.executable).parent, Path(sysconfig.get_path("scripts")), Path(user)]


def _python(folder: Path | None = None) -> str:
    on_path = shutil.which("python")
    if on_path is not None and Path(on_path).parent == Path(sys.executable).parent:
        return "python"
    return _shown(Path(sys.executable), folder)


def _shown(path: Path, folder: Path | None = None) -> str:
    """A path as one would type it in `folder`."""
    here = (folder or Path.cwd()).absolute()
    if here == Path(here.anchor) or not path.is_relative_to(here):
        return str(path)
    below = str(path.relative_to(here))
    return below if "/" in below or below == "." else f"./{below}"
