"""`journey install`: find or install a browser."""

from typing import Annotated

import typer

from runner.browser import chromium
from runner.browser.engines import find_engine
from runner.browser.sandbox import check_sandbox
from runner.settings.parsers.values import parse_engine


def install(
    browser: Annotated[str, typer.Option(help="Of which engine: chromium, firefox or webkit.")] = "chromium",
) -> None:
    """Find a browser on this machine; print which one journeys will use.

    Without one of another engine, the command that installs it is printed. A Chromium is downloaded, and its sandbox is tried.

    Examples: journey install
    journey install --browser firefox
    """
    try:
        engine = parse_engine(browser)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--browser") from error
    if engine != "chromium":
        other = find_engine(engine)
        typer.echo(f"{engine}: {other.path} ({other.found})")
        return
    found = chromium.install()
    typer.echo(f"{found.version()}\n{found.path} ({found.found})")
    reason = check_sandbox(found.path)
    state = reason if reason.startswith("not known") else f"off: {reason}"
    typer.echo(f"sandbox: {state if reason else 'on'}")
