"""How `--help` shows a command: its examples separately, and its options in groups if there are many."""

import re
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from reports.formats.registry import REPORT_FORMATS

MANY = 10
"""The maximum number of options in one list; more are shown in groups."""
GROUPS = {
    "Site": ("base_url", "param", "env"),
    "Browser": ("headed", "slow_mo", "browser_path"),
    "Comparison": ("baseline", "against", "save_baseline", "tolerance", "undecided", "seed"),
    "What is kept": ("trace", "screenshots", "video", "runs_dir", "database"),
    "Metrics": ("pushgateway", "require_push", "location", "metrics_file", "listen"),
    "Reports": ("log_format", "json", *REPORT_FORMATS),
}
"""Groups of options, by the names of their parameters; all other options control what is run and how."""
_EXAMPLE = re.compile(r"^Examples?:\s*(.+)\Z", re.MULTILINE | re.DOTALL)
_TAG = re.compile(r"\[(?=[a-z#/@])")
"""What Rich would read as the beginning of a tag."""


class _Shown:
    """A command whose text ends with `Example: journey …`, or with several lines of them."""

    epilog: str | None
    examples: tuple[str, ...]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help; the examples are last, each on a line that can be copied."""
        # The epilog is Markdown, for docs/commands.md.
        epilog, self.epilog = self.epilog, None
        super().format_help(ctx, formatter)  # type: ignore[misc]  # there is always a command behind it
        self.epilog = epilog
        if self.examples:
            formatter.write("\n Example:\n" if len(self.examples) == 1 else "\n Examples:\n")
            formatter.write("".join(f"   {one}\n" for one in self.examples))


class Command(_Shown, TyperCommand):
    """A command with its examples and groups."""

    def __init__(self, name: str | None, *, help: str | None = None, **rest: Any) -> None:  # noqa: A002 (the name that Typer uses)
        text, self.examples = parted(help or "")
        super().__init__(name, **{**rest, "help": text, "epilog": _markdown(self.examples)})
        options = [one for one in self.params if one.param_type_name == "option"]
        if len(options) > MANY:
            for option in options:
                # Only Typer's own kinds of options have it.
                option.rich_help_panel = next((group for group, names in GROUPS.items() if option.name in names), None)  # type: ignore[attr-defined]


class Group(_Shown, TyperGroup):
    """The command that contains all others."""

    def __init__(self, *, help: str | None = None, **rest: Any) -> None:  # noqa: A002 (the name that Typer uses)
        text, self.examples = parted(help or "")
        super().__init__(**{**rest, "help": text, "epilog": _markdown(self.examples)})


def parted(text: str) -> tuple[str, tuple[str, ...]]:
    """A docstring without its examples, each paragraph on one line; and the examples.

    >>> parted("Do it.\\n\\nAnd\\nmore.\\n\\nExample: journey do it")
    ('Do it.\\n\\nAnd more.', ('journey do it',))
    """
    found = _EXAMPLE.search(text)
    prose = text[: found.start()] if found else text
    paragraphs = [" ".join(one.split()) for one in re.split(r"\n\s*\n", prose) if one.strip()]
    examples = found[1].splitlines() if found else []
    return _TAG.sub(r"\\[", "\n\n".join(paragraphs)), tuple(line.strip() for line in examples if line.strip())


def _markdown(examples: Sequence[str]) -> str | None:
    lines = "\n".join(f"$ {one}" for one in examples)
    return f"**Example**:\n\n```console\n{lines}\n```" if examples else None


def use_in(app: typer.Typer) -> None:
    """Makes all commands of `app` show their help in this way."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance:
            use_in(group.typer_instance)
