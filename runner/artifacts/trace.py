"""Playwright's trace: every action with snapshots of the page before and after, network, console and sources."""

from pathlib import Path

from playwright.sync_api import BrowserContext


def start(context: BrowserContext, title: str) -> None:
    """Begins to record. Tracing moves a step's stopwatch a little and the page clock hardly (docs/fidelity.md)."""
    context.tracing.start(title=title, snapshots=True, screenshots=True, sources=True)


def stop(context: BrowserContext, file: Path | None) -> None:
    """Ends the recording; writes it to `file`, or drops it if None."""
    if file is None:
        context.tracing.stop()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    context.tracing.stop(path=file)
