"""`journey install`: find or install a Chromium."""

import typer

from runner.browser import chromium
from runner.browser.sandbox import check_sandbox


def install() -> None:
    """Find a Chromium on this machine, or download Playwright's; print which one journeys will use, and whether its sandbox works.

    Example: journey install
    """
    found = chromium.install()
    typer.echo(f"{found.version()}\n{found.path} ({found.found})")
    reason = check_sandbox(found.path)
    state = reason if reason.startswith("not known") else f"off: {reason}"
    typer.echo(f"sandbox: {state if reason else 'on'}")
