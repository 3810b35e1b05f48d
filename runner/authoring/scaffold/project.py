"""What a folder lacks to be a project with journeys."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

from runner.archive.atomic_write import FileChange
from runner.authoring.scaffold.template import fill, is_made_from
from runner.dsl.python_name import to_python_name
from runner.dsl.static_discovery import find_declared_journeys
from runner.errors import ConfigError
from runner.installation import source_url
from runner.settings.load_settings import load_settings

WORKFLOW = Path(".github/workflows/journeys.yml")
PIPELINE = Path(".gitlab-ci.yml")
INCLUDED = Path(".gitlab/journeys.yml")
IGNORED = "runs/"


class Answers(Struct, frozen=True, kw_only=True):
    """What the user wants."""

    name: str = "home"
    """Of the first journey."""
    base_url: str | None = None
    ci: tuple[str, ...] = ()
    """`github`, `gitlab`."""
    pyproject: bool = True
    """Whether the settings may go into a pyproject.toml that is there."""
    force: bool = False
    """Whether files that `journey init` made, and nobody changed, are made again."""


class Project(Struct, frozen=True):
    """What is to be done, by paths below the folder."""

    changes: dict[Path, FileChange]
    made: dict[Path, str]
    """What each file that is made or changed is for."""
    left: dict[Path, str]
    """Why each other file is left alone."""


class _Draft:
    """A project as it is put together."""

    def __init__(self, folder: Path, force: bool) -> None:
        self.folder = folder
        self.force = force
        self.project = Project({}, {}, {})
        self.changed: list[Path] = []

    def want(self, path: Path, template: str, what: str, **values: str) -> None:
        """A file that is made from a template, where it is missing; or again, when that was requested and destroys nothing."""
        file = self.folder / path
        text = fill(template, **values)
        if not (file.exists() or file.is_symlink()):
            self._make(path, FileChange(None, text.encode()), what)
            return
        before = _bytes(file)
        if not self.force:
            self.project.left[path] = "is there"
        elif before == text.encode():
            self.project.left[path] = "is up to date"
        elif is_made_from(template, before.decode(errors="replace")):
            self._make(path, FileChange(before, text.encode()), f"{what}, made again")
        else:
            self.changed.append(path)

    def append(self, path: Path, text: str, what: str) -> None:
        """A file that is there, with more at its end, in its own kind of lines."""
        before = _bytes(self.folder / path)
        line = "\r\n" if b"\r\n" in before else "\n"
        gap = "" if not before or before.endswith(b"\n") else line
        self._make(path, FileChange(before, before + (gap + text.replace("\n", line)).encode()), what)

    def _make(self, path: Path, change: FileChange, what: str) -> None:
        self.project.changes[path] = change
        self.project.made[path] = what


def draft(folder: Path, answers: Answers) -> Project:
    """What `journey init` would do in `folder`; nothing is written.

    Raises ConfigError when a file that is there cannot be read or added to, and when `force` would overwrite a changed one.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name a folder")
    drawn = _Draft(folder, answers.force)
    _settings(drawn, answers)
    _journey(drawn, answers)
    package = source_url() or ""
    if "github" in answers.ci:
        drawn.want(WORKFLOW, "github.yml", "smoke check on pull requests, and scheduled runs", package=package)
    if "gitlab" in answers.ci:
        own = folder / PIPELINE
        included = own.exists() and b"journey-runner" not in _bytes(own)
        path = INCLUDED if included else PIPELINE
        drawn.want(path, "gitlab.yml", "smoke check on merge requests, and scheduled runs", package=package)
    _ignore(drawn)
    if drawn.changed:
        raise ConfigError(
            "\n".join(
                f"{folder / one} was changed, and is not overwritten; move it away, or leave --force out"
                for one in drawn.changed
            )
        )
    return drawn.project


def _settings(drawn: _Draft, answers: Answers) -> None:
    own, shared = Path("journey.toml"), Path("pyproject.toml")
    base_url = f"base_url = {json.dumps(answers.base_url)}" if answers.base_url else '# base_url = "https://shop.example"'
    has_own = (drawn.folder / own).exists()
    if not has_own and answers.pyproject and (drawn.folder / shared).is_file():
        if _table(drawn.folder / shared) is not None:
            drawn.project.left[shared] = "has a table [tool.journey]"
            return
        table = fill("settings.toml", base_url=base_url, table="tool.journey.")
        blank = "\n" if _bytes(drawn.folder / shared).strip() else ""
        drawn.append(shared, f"{blank}[tool.journey]\n{table}", "settings, in a table [tool.journey]")
        _still_toml(drawn.folder / shared, drawn.project.changes[shared])
        return
    drawn.want(own, "settings.toml", "settings", base_url=base_url, table="")


def _table(file: Path) -> Any:
    tool = _parsed(file, _bytes(file)).get("tool", {})
    return tool.get("journey") if isinstance(tool, dict) else None


def _still_toml(file: Path, change: FileChange) -> None:
    """A table can be written so that no other can stand below it (`tool = {…}`)."""
    before = {"tool": {}, **_parsed(file, change.before or b"")}
    try:
        after = tomllib.loads(change.after.decode())
        del after["tool"]["journey"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigError(f"{file}: a table [tool.journey] cannot be added: {error}; use --no-pyproject") from error
    if before != after:
        raise ConfigError(f"{file}: a table [tool.journey] cannot be added without a change of others; use --no-pyproject")


def _parsed(file: Path, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}; fix it, or use --no-pyproject") from error


def _journey(drawn: _Draft, answers: Answers) -> None:
    function = to_python_name(answers.name)
    file = Path("journeys") / f"{function}.py"
    folders = [drawn.folder / "journeys"]
    if not {Path("journey.toml"), Path("pyproject.toml")} & set(drawn.project.changes):
        # Settings that are there may have the journeys elsewhere.
        folders = list(load_settings(drawn.folder, {}, {}).journeys)
        if folders[0].suffix != ".py" and folders[0].is_relative_to(drawn.folder):
            file = folders[0].relative_to(drawn.folder) / file.name
    other = next(
        (one for one in find_declared_journeys([one for one in folders if one.exists()]) if one.name == answers.name), None
    )
    if other is not None and other.file != drawn.folder / file:
        drawn.project.left[file] = f"a journey {answers.name} is at {other.where}"
        return
    option = "" if function == answers.name else f'name="{answers.name}", '
    drawn.want(file, "journey.py.txt", "the first journey", function=function, option=option)


def _ignore(drawn: _Draft) -> None:
    path = Path(".gitignore")
    file = drawn.folder / path
    before = _bytes(file).decode(errors="replace") if file.exists() else ""
    if re.search(r"^/?runs/?\s*$", before, re.MULTILINE):
        drawn.project.left[path] = f"has {IGNORED}"
    elif file.exists():
        drawn.append(path, f"{IGNORED}\n", f"{IGNORED} added")
    else:
        drawn.project.changes[path] = FileChange(None, f"{IGNORED}\n".encode())
        drawn.project.made[path] = IGNORED


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
