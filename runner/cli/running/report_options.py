"""The options of a command for reports, one for each format that the registry offers for it."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from reports.formats.registry import ReportFormat, list_option_formats
from reports.formats.report_files import Files


def with_report_options(command: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a function that takes `files` the options of `command` in place of it, last."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        formats = list_option_formats(command)

        @wraps(function)
        def call(**given: Any) -> None:
            targets = {row.name: given.pop(row.name) for row in formats}
            function(**given, files=Files(**targets))

        own = signature(function)
        kept = [one for one in own.parameters.values() if one.name != "files"]
        call.__signature__ = own.replace(parameters=[*kept, *(_parameter(row, command) for row in formats)])  # type: ignore[attr-defined]
        return call

    return decorate


def _parameter(row: ReportFormat, command: str) -> Parameter:
    option = typer.Option(f"--{row.name}", metavar="FILE", help=row.options[command])
    return Parameter(row.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option])
