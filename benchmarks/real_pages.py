"""How far the page clock is from an independent probe on four real applications, three steps in each.

- MediaWiki (Debian: `mediawiki php-cli php-sqlite3`), served by PHP on a database of its own;
- Prometheus (Debian: `prometheus`), its console;
- Streamlit (PyPI), an app that computes for a second;
- Node-RED (npm), its editor.

What Debian has must be installed. Streamlit and Node-RED are installed into a folder of their own, once. The probe is described in
real_pages_journey.py.
Run: `python -m benchmarks.real_pages [--rounds N] [--apps FOLDER]`; the table is in docs/fidelity.md.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks.fidelity import percentile
from runner.archive.archive import Archive
from runner.browser.chromium import find
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until

MEDIAWIKI = Path("/usr/share/mediawiki")
TEA = """
import time
import streamlit as st

st.title("Tea counter")
if st.button("Compute"):
    time.sleep(1.2)
    st.success("42 cups")
kind = st.radio("Tea", ["Assam", "Sencha", "Oolong"])
st.write(f"You chose {kind}")
"""
SCRAPE = """
global: {scrape_interval: 1s}
scrape_configs:
- job_name: self
  static_configs: [{targets: ["127.0.0.1:PORT"]}]
"""
QUIET = "module.exports = { telemetry: { enabled: false }, editorTheme: { tours: false } };"


@contextmanager
def _running(command: list[str], folder: Path, ready: str, **environment: str) -> Iterator[None]:
    """A server, until the block ends; `ready` is an address that it answers."""
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **environment}, start_new_session=True
        )
        try:
            wait_until(lambda: process.poll() is not None or get(ready), command[0], 120)
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} did not start: {(folder / 'server.log').read_text()[-2000:]}")
            yield
        finally:
            # With the workers of PHP, which would go on otherwise.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


@contextmanager
def _mediawiki(folder: Path, _: Path) -> Iterator[str]:
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    (folder / "data").mkdir()
    where = [
        "--dbtype",
        "sqlite",
        "--dbpath",
        str(folder / "data"),
        "--confpath",
        str(folder),
        "--scriptpath",
        "",
        "--server",
        site,
    ]
    install = [
        "php",
        str(MEDIAWIKI / "maintenance" / "install.php"),
        *where,
        "--pass",
        "oolong-and-milk-9",
        "Tea wiki",
        "Admin",
    ]
    subprocess.run(install, check=True, capture_output=True)
    serve = ["php", "-S", f"127.0.0.1:{port}", "-t", str(MEDIAWIKI)]
    settings = str(folder / "LocalSettings.php")
    with _running(serve, folder, f"{site}/index.php/Main_Page", MW_CONFIG_FILE=settings, PHP_CLI_SERVER_WORKERS="4"):
        yield site


@contextmanager
def _prometheus(folder: Path, _: Path) -> Iterator[str]:
    port = free_port()
    (folder / "prometheus.yml").write_text(SCRAPE.replace("PORT", str(port)))
    command = [
        "prometheus",
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with _running(command, folder, f"http://127.0.0.1:{port}/-/ready"):
        names = f"http://127.0.0.1:{port}/api/v1/label/__name__/values"
        wait_until(lambda: "prometheus_build_info" in (get(names) or ""), "its first scrape")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _streamlit(folder: Path, apps: Path) -> Iterator[str]:
    program = apps / "streamlit" / "bin" / "streamlit"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", apps / "streamlit"], check=True)
        subprocess.run([apps / "streamlit" / "bin" / "pip", "install", "--quiet", "streamlit"], check=True)
    port = free_port()
    (folder / "tea.py").write_text(TEA)
    quiet = ["--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.port", str(port)]
    with _running([str(program), "run", "tea.py", *quiet], folder, f"http://127.0.0.1:{port}/_stcore/health"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _node_red(folder: Path, apps: Path) -> Iterator[str]:
    program = apps / "node-red" / "node_modules" / ".bin" / "node-red"
    if not program.exists():
        (apps / "node-red").mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--ignore-scripts", "--prefix", apps / "node-red", "--silent", "node-red"], check=True
        )
    port = free_port()
    (folder / "settings.js").write_text(QUIET)
    with _running([str(program), "-u", str(folder), "-p", str(port)], folder, f"http://127.0.0.1:{port}/"):
        yield f"http://127.0.0.1:{port}"


APPS: Mapping[str, Callable[[Path, Path], AbstractContextManager[str]]] = {
    "mediawiki": _mediawiki,
    "prometheus": _prometheus,
    "streamlit": _streamlit,
    "node-red": _node_red,
}


def measure(rounds: int, apps: Path) -> dict[tuple[str, str], list[tuple[float, float, float, str]]]:
    """The truth of each step, the signed errors of page clock and stopwatch, in ms; and which clock was used."""
    journeys = {one.name: one for one in load_journeys(Path(__file__).with_name("real_pages_journey.py"))}
    found: dict[tuple[str, str], list[tuple[float, float, float, str]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack, Workers(1) as pool:
        folder = Path(made)
        sites: dict[str, str] = {}
        for name, app in APPS.items():
            (folder / name).mkdir()
            sites[name] = stack.enter_context(app(folder / name, apps))
        for _ in range(rounds):
            for name, site in sites.items():
                told = folder / "truth.json"
                settings = load_settings(folder, {"base_url": site, "params": {"truth": str(told)}}, {})
                (result,) = run_plans(pool, [plan(journeys[name], settings)], find(), settings, Archive(folder / "runs"), [])
                if result.status != "passed":
                    raise SystemExit(f"the journey {name} did not pass: {result.failure}")
                truth = json.loads(told.read_text())
                for step in result.steps:
                    # A control that was not there yet is waited for from the start of the step; the probe begins with the input.
                    latency, wall = ((one or 0.0) - step.waited_seconds for one in (step.latency_seconds, step.wall_seconds))
                    latency, wall = latency * 1000, wall * 1000
                    known = truth[step.name]
                    found[name, step.name].append((known, latency - known, wall - known, step.clock))
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--apps", type=Path, default=Path.home() / ".cache" / "journey-benchmarks", help="where apps are installed"
    )
    options = parser.parse_args()
    missing = [name for name in ("php", "prometheus", "npm") if shutil.which(name) is None]
    missing += [] if MEDIAWIKI.is_dir() else ["mediawiki"]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)}; install the Debian packages that the docstring names")
    found = measure(options.rounds, options.apps.resolve())
    print(
        "| application | step | n | truth | page clock: median error | largest | stopwatch: median error | by the page clock |"
    )
    print("| --- | --- | --: | --: | --: | --: | --: | --: |")
    at = partial(percentile, share=0.5)
    for (name, step), values in found.items():
        truth, clock, stopwatch, used = zip(*values, strict=True)
        largest = max(clock, key=abs)
        figures = f"{at(list(truth)):.0f} | {at(list(clock)):+.1f} | {largest:+.1f} | {at(list(stopwatch)):+.1f}"
        print(f"| {name} | {step} | {len(values)} | {figures} | {sum(one == 'page' for one in used)} |")
    errors = [abs(error) for values in found.values() for _, error, _, _ in values]
    print(f"\nMilliseconds. All steps: p95 of the error {percentile(errors, 0.95):.1f} (target 50).")


if __name__ == "__main__":
    main()
