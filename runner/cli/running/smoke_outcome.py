"""What `journey smoke` does with its result: it is shown, saved, written as reports, and kept as a baseline."""

from pathlib import Path

from reports.formats.report_files import Files, write_smoke
from reports.smoke import baseline
from reports.smoke.archive import SmokeArchive
from reports.smoke.result import SmokeResult
from reports.terminal.console import SafeConsole
from reports.terminal.smoke_summary import render_smoke
from runner.errors import ConfigError
from runner.settings.settings import Settings


def require_folders(files: Files, save_baseline: str | None, settings: Settings) -> None:
    """Raises ConfigError for a file that cannot be written, before minutes are spent on measuring."""
    files.check()
    targets = {f"--{name}": Path(target) for name, target in files.targets.items() if target != "-"}
    if save_baseline is not None:
        file = baseline.file_of(save_baseline, settings.runs_dir, "--save-baseline")
        if file.parent.name != baseline.FOLDER:
            targets["--save-baseline"] = file
    for option, file in targets.items():
        if file.is_dir() or not file.parent.is_dir():
            raise ConfigError(f"{option} {file}: cannot be written; name a file in a folder that exists")


def show_and_save(
    result: SmokeResult, settings: Settings, console: SafeConsole, files: Files, save_baseline: str | None
) -> None:
    """Shows and saves the result, and writes the reports."""
    console.print()
    console.print(render_smoke(result), soft_wrap=True)
    order = f" (order of the sides: --seed {result.seed})" if result.baseline and result.baseline.kind == "against" else ""
    try:
        saved = SmokeArchive(settings.runs_dir).save(result)
        console.print(f"\nthis check is saved in {saved}{order}", markup=False, soft_wrap=True)
    except ConfigError as error:
        # A full disk does not change the result.
        console.warn(f"this check is not saved: {error}")
    write_smoke(files, result)
    if save_baseline is not None:
        _save_baseline(result, baseline.file_of(save_baseline, settings.runs_dir, "--save-baseline"), console)


def _save_baseline(result: SmokeResult, file: Path, console: SafeConsole) -> None:
    if result.verdict != "passed":
        console.warn(f"{file}: the baseline is not saved, as the check did not pass")
        return
    if result.pictures:
        from reports.smoke.baseline_pictures import save_with_pictures

        save_with_pictures(result, file)
    else:
        baseline.save(baseline.of(result), file)
        baseline.pictures_beside(file).unlink(missing_ok=True)
    console.print(f"the baseline is saved in {file}", markup=False, soft_wrap=True)
    fewest = min((len(one.runs) for one in result.journeys), default=0)
    if fewest < baseline.ENOUGH:
        console.print(f"with {fewest} runs it shows only large changes; --runs {baseline.GOOD} makes a better one")
