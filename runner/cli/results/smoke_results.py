"""What the commands about results of smoke checks have in common: which check, which of its steps, which baseline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import completion, given
from runner.errors import ConfigError

if TYPE_CHECKING:
    from reports.smoke.result import SmokeResult

JourneyName = Annotated[
    str | None, typer.Argument(metavar="JOURNEY", help="Only this journey.", autocompletion=completion.journeys)
]
StepName = Annotated[str | None, typer.Argument(metavar="STEP", help="Only this step of it.")]
CheckId = Annotated[str, typer.Option("--check", metavar="SMOKE", help="Of this smoke check: an id, `last`, or a file.")]
Baseline = Annotated[
    str | None, typer.Option(metavar="FILE|NAME", help="The baseline (default: the one that the check was compared with).")
]


def find_check(check: str, runs_dir: Path | None) -> "SmokeResult":
    """The check. Raises RunNotFound."""
    from reports.smoke.archive import SmokeArchive

    return SmokeArchive(given.settings(runs_dir=runs_dir).runs_dir).find(check).result


def name_baseline(result: "SmokeResult", baseline: str | None) -> str:
    """The baseline of the option, or the one that the check was compared with. Raises ConfigError where there is none."""
    source = result.baseline
    named = baseline or (source.name if source is not None and source.kind == "saved" else None)
    if named is None:
        raise ConfigError("this check was not compared with a saved baseline; name the one to change with --baseline")
    return named
