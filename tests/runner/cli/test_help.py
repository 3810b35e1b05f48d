"""`--help`, as it is read in a terminal."""

import os
import shlex
import subprocess
import sys

import pytest
import typer
from typer.core import TyperGroup

from runner.cli.all_commands import app
from runner.cli.manual import MANY, Command

MAIN = typer.main.get_command(app)
assert isinstance(MAIN, TyperGroup)
COMMANDS = MAIN.commands


def shown(*words: str) -> str:
    environment = {**os.environ, "COLUMNS": "80", "TERMINAL_WIDTH": "80"}
    command = [sys.executable, "-m", "runner.cli", *words, "--help"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_it_takes(name: str) -> None:
    command = COMMANDS[name]
    if not isinstance(command, Command):
        # A group: its own commands have the examples.
        assert command.commands  # type: ignore[attr-defined]
        return
    assert command.examples
    for example in command.examples:
        program, first, *words = shlex.split(example)
        assert (program, first) == ("journey", name)
        command.make_context(name, words)


@pytest.mark.thorough
def test_the_example_is_the_last_thing_and_stands_by_itself() -> None:
    assert shown("run").endswith("\n Example:\n   journey run checkout --base-url https://staging.shop.example --retries 1\n")
    assert shown().endswith("\n Examples:\n   journey demo\n   journey init --base-url https://shop.example\n")
    assert "Example" not in shown("run").partition("Options")[0]


def test_many_options_are_grouped_and_few_are_not() -> None:
    for name, command in COMMANDS.items():
        options = [one for one in command.params if one.param_type_name == "option"]
        groups = {getattr(one, "rich_help_panel", None) for one in options}
        assert (len(groups) > 1) == (len(options) > MANY), name


def test_square_brackets_stay() -> None:
    assert "[tool.journey]" in shown("init")
