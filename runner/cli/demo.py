"""`journey demo`: all features on the built-in shop, without anything else."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer
from msgspec.structs import replace

from reports.formats.report_files import Files
from runner.cli import given
from runner.cli.demo_sample import make_sample_writer
from runner.cli.running.run import Pusher, execute
from runner.demo import journeys_folder, running_shop
from runner.dsl.discovery import discover
from runner.dsl.plan import plan
from runner.errors import ConfigError
from runner.installation import install_command, journey_command
from runner.result import RunResult
from runner.settings.sections.funnels import parse_funnels
from runner.settings.sections.objectives import parse_objectives
from runner.workers.pool import Workers

RELEASE = "2026.11"
"""Of the shop, as its pages say to the collector."""
BROKEN = {"product": "cracked-teapot"}
EXPECTED = {"browse": "failed", "buy": "passed", "search": "passed", "stock": "passed"}
OBJECTIVES = {
    "checkout": {"journeys": ["buy"], "objective": "99%", "window": "7d"},
    "fast-search": {"journeys": ["browse"], "objective": "90%", "window": "7d", "step": "search", "under": "300ms"},
}
"""Of the dashboard, if the settings have none."""
FUNNELS = {"checkout": {"app": "shop", "steps": ["/cart", "/checkout", "/checkout/payment", "/checkout/done"]}}
"""Likewise."""
METRICS = Path("metrics.prom")
VISITORS = 12
"""They take about a minute, one after the other."""
GATEWAY = "prometheus-pushgateway"


def demo(
    site_only: Annotated[bool, typer.Option("--site-only", help="Only serve the shop, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(help="The shop's loopback port; 0 takes a free one.", min=0, max=65535)] = 0,
    runs_dir: given.RunsDir = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then serve the dashboard until Ctrl-C, and send visitors through the shop.")
    ] = False,
) -> None:
    """Run four journeys on a built-in shop, one of which meets a broken page; push to a Pushgateway; say where to look.

    If the database is empty, a week of made-up runs and visits is put before them, marked as a sample wherever it is shown.

    Examples: journey demo --serve
    journey demo --site-only --port 8000
    """
    if site_only:
        with running_shop(port) as address:
            typer.echo(f"the shop is at {address} (Ctrl-C ends it)")
            _until_interrupted()
        return
    with ExitStack() as stack:
        dashboard = stack.enter_context(_dashboard(runs_dir)) if serve else None
        address = stack.enter_context(running_shop(port, collector=dashboard, replay=1.0 if dashboard else 0.0))
        gateway = stack.enter_context(_gateway())
        where = f"metrics are pushed to {gateway}" if gateway else f"no {GATEWAY} on PATH: metrics go to the file {METRICS}"
        typer.echo(f"the shop is at {address}\n{where}\n")
        settings = given.settings(base_url=address, pushgateway=gateway, runs_dir=runs_dir, release=RELEASE)
        add_sample = make_sample_writer(settings)
        with Workers(1) as pool:
            found = discover([journeys_folder()])
            broken = given.settings(base_url=address, params=BROKEN, runs_dir=runs_dir, release=RELEASE)
            plans = [plan(one, broken if one.name == "browse" else settings) for one in found]
            ended = execute(pool, plans, settings, Files(), None if gateway else METRICS, Pusher(settings))
        if gateway:
            _show_metrics(gateway)
        results = [result for result, _ in ended]
        _check(results)
        typer.echo(f"\n{add_sample(results)}")
        _propose(settings.runs_dir if runs_dir else None, dashboard)
        if dashboard:
            _send_visitors(address)


def _check(results: list[RunResult]) -> None:
    if {one.journey: one.status for one in results} != EXPECTED:
        typer.echo("\nthis is not how the demo should end: browse fails on purpose, the others pass", err=True)
        raise typer.Exit(1)


def _propose(runs_dir: Path | None, dashboard: str | None) -> None:
    typer.echo("\nbrowse failed on purpose: its product page answers 500. Next:")
    where = ["--runs-dir", str(runs_dir)] if runs_dir else []
    proposed = {
        journey_command("show", "last-failed", *where): "why, step by step",
        journey_command("trace", "last-failed", *where): "every action, with the page before and after",
        journey_command("demo", "--site-only"): "the shop, for a journey of your own",
    }
    if not dashboard:
        if not _can_serve():
            proposed[install_command("serve")] = "what the dashboard needs, and then"
        proposed[journey_command("serve", *where)] = "the dashboard, with all of this on it"
        proposed[journey_command("demo", "--serve", *where)] = "the same again, with visitors who walk through the shop"
    width = max(map(len, proposed))
    for command, what in proposed.items():
        typer.echo(f"  {command:{width}}   {what}")
    if dashboard:
        typer.echo(f"\nthe dashboard is at {dashboard}/?range=7d (Ctrl-C ends it); visitors walk through the shop now")


def _can_serve() -> bool:
    from runner.cli.operating.serve import needed

    try:
        needed()
    except ConfigError:
        return False
    return True


@contextmanager
def _dashboard(runs_dir: Path | None) -> Iterator[str]:
    """The dashboard and the collector on a free port, in a thread; yields their address."""
    from runner.cli.operating.serve import needed

    needed()
    from reports.web.server.server import open_socket
    from runner.cli.operating.assembly import assembled

    settings = replace(given.settings(serve_listen="127.0.0.1:0", runs_dir=runs_dir), collector_listen=None)
    settings = settings if settings.slo else replace(settings, slo=parse_objectives(OBJECTIVES))
    settings = settings if settings.funnels else replace(settings, funnels=parse_funnels(FUNNELS))
    with open_socket(settings.serve_listen) as listening, assembled(settings) as server:
        thread = Thread(target=server.serve_until_stopped, args=(listening,), name="dashboard")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.stop()
            thread.join()


def _send_visitors(address: str) -> None:
    """Sends visitors for about a minute, then keeps serving until Ctrl-C."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "runner.demo.visitors",
        "--shop",
        address,
        "--visitors",
        str(VISITORS),
        "--workers",
        "1",
    ]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        _until_interrupted()
    finally:
        process.terminate()
        process.wait(10)


def _until_interrupted() -> None:
    # A service manager or a script ends it with SIGTERM: then too, nothing that was started stays.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        typer.echo("stopped")


@contextmanager
def _gateway() -> Iterator[str | None]:
    """A Pushgateway on a free port; None if the program is not installed."""
    program = shutil.which(GATEWAY)
    if program is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    # By default Debian's gateway keeps its groups in a system-wide file; the groups of the demo must not get into it.
    process = subprocess.Popen(
        [program, f"--web.listen-address={address}", "--log.level=error", "--persistence.file="],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(f"http://{address}/-/ready")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str) -> None:
    from urllib.error import URLError
    from urllib.request import urlopen

    ends = time.monotonic() + 10
    while True:
        try:
            with urlopen(address, timeout=1):  # noqa: S310 (our own process)
                return
        except URLError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)


def _show_metrics(gateway: str) -> None:
    from urllib.request import urlopen

    with urlopen(f"{gateway}/metrics", timeout=5) as answer:  # noqa: S310 (our own process)
        lines = answer.read().decode().splitlines()
    shown = [
        line
        for line in lines
        if line.startswith(("synthetic_success", 'synthetic_latency_seconds{instance="",job="synthetic_monitor",journey="buy'))
    ]
    typer.echo("\nin the gateway, ready to be scraped:")
    for line in shown:
        typer.echo(f"  {line}")
