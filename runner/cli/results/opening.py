"""`journey open RUN`: a run's folder."""

import os
import shutil
import subprocess
import sys

import typer

from runner.archive.remote_archive import open_archive
from runner.cli import given
from runner.cli.results.show import Run


def open_run(run: Run = "last", runs_dir: given.RunsDir = None) -> None:
    """Print a run's folder, and open it where there is a desktop.

    Example: journey open last-failed
    """
    archive = open_archive(given.settings(runs_dir=runs_dir))
    saved = archive.fetch(archive.find(run))
    typer.echo(str(saved.folder))
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    desktop = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if desktop and shutil.which(opener):
        subprocess.Popen([opener, saved.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
