"""Every command that a hint, a message, the help or a document mentions exists, with the options that it is mentioned with."""

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from runner.cli.all_commands import app
from tests.support.doc_reader import pages

ROOT = Path(__file__).parents[1]
MENTIONED = re.compile(r"`((?:\.venv/bin/)?journey(?: [^`]*)?)`")
ANY = "…"
"""Stands for the parts of a message that are put together when it is shown."""


@cache
def program() -> Any:
    """The `journey` command, of the click that Typer brings with it."""
    return get_command(app)


def find_mistake(words: list[str]) -> str | None:
    """What is wrong with the words after `journey`: the first that is neither a command nor one of its options."""
    command = program()
    for word in words:
        if word == ANY:
            return None  # a command that is not known before it is shown
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
        if word.startswith("-") and word != "-":
            if word.partition("=")[0] not in options:
                return word
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return word
            command = command.commands[word]
    return None


def in_messages() -> Iterator[tuple[str, list[str]]]:
    """Where in our programs a command is mentioned in a text or handed to `journey_command`, and its words."""
    for folder in ("runner", "reports"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            source = file.read_text()
            # Parsing takes much longer than a search.
            if "node_modules" in file.parts or ("journey_command" not in source and "`journey" not in source):
                continue
            for node in ast.walk(ast.parse(source)):
                where = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                for text in _texts(node):
                    for mentioned in MENTIONED.findall(text):
                        yield where, _words(mentioned)
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "journey_command":
                    yield where, [str(one.value) if isinstance(one, ast.Constant) else ANY for one in node.args]


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(one.value) if isinstance(one, ast.Constant) else ANY for one in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def in_documents() -> Iterator[tuple[str, list[str]]]:
    """Where in a document a command is mentioned within its sentences, and its words."""
    for page in (*pages(), ROOT / "CHANGELOG.md"):
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for mentioned in MENTIONED.findall(text):
            yield str(page.relative_to(ROOT)), _words(mentioned)


def _words(mentioned: str) -> list[str]:
    try:
        words = shlex.split(mentioned)
    except ValueError:
        words = mentioned.split()
    return words[1:]


@pytest.mark.long
@pytest.mark.parametrize("search", [in_messages, in_documents])
def test_what_is_proposed_can_be_typed(search: Callable[[], Iterator[tuple[str, list[str]]]]) -> None:
    found = list(search())
    assert len(found) > 40
    assert [f"{where}: journey {shlex.join(words)}" for where, words in found if find_mistake(words) is not None] == []


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        ("run --repeat 3", None),
        ("run --repaet 3", "--repaet"),
        ("rnu", "rnu"),
        ("store backup FILE", None),
        ("store bakcup", "bakcup"),
        ("--install-completion", None),
    ],
)
def test_a_mistake_would_be_found(words: str, mistake: str | None) -> None:
    assert find_mistake(words.split()) == mistake
