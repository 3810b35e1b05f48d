"""`journey install`: find or install a Chromium."""

import typer

from runner.browser import chromium


def install() -> None:
    """Find a Chromium on this machine, or download Playwright's; print which one journeys will use.

    Example: journey install
    """
    found = chromium.install()
    typer.echo(f"{found.version()}\n{found.path} ({found.found})")
