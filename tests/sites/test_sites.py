"""Journeys on sites that nobody here wrote: their timings, traces and metrics, held against the site's own log."""

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.metrics.pushgateway import push_result
from runner.result import RunResult
from runner.settings.load_settings import load_settings
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.runner.test_pytest_plugin import AS_A_USER
from tests.support.services.servers import free_port, get, running
from tests.support.wait import wait_until

pytestmark = [pytest.mark.sites, pytest.mark.thorough]
WALKS = Path(__file__).parent / "walks"


@contextmanager
def serving(command: list[str], ready: str, log: Path) -> Iterator[None]:
    """Runs a Python site that logs to its error stream."""
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=errors, stderr=errors, cwd=log.parent)
        try:
            wait_until(lambda: get(ready) is not None)
            yield
        finally:
            process.terminate()
            process.wait(60)


def walk(monitor: Monitor, name: str, address: str, gateway: str) -> RunResult:
    """Runs the walk, and checks what must hold on every site."""
    (journey,) = load_journeys(WALKS / f"{name}.py")
    settings = load_settings(monitor.folder, {"base_url": address, "trace": "on", "pushgateway": gateway}, {})
    plans = [plan(journey, replace(settings, waits=waits)) for waits in ("polling", "events")]
    polled, result = run_plans(monitor.pool, plans, monitor.chromium, settings, monitor.archive, [])
    under_pytest = [walk_under_pytest(monitor.folder, name, address, waits) for waits in ("polling", "events")]
    verdict = outline(msgspec.to_builtins(result))
    assert [outline(one) for one in (msgspec.to_builtins(polled), *under_pytest)] == [verdict] * 3
    assert result.failure is None, result.failure
    assert result.notes == ()
    for step in result.steps:
        assert step.latency_seconds is not None
        assert step.wall_seconds is not None
        assert step.clock == "page", step.name
        assert 0 < step.latency_seconds <= step.wall_seconds
    opened = result.steps[0]
    assert opened.navigations[0].phases["total"] > 0
    assert opened.vitals.fcp is not None
    assert opened.requests.transfer_bytes > 1000
    with zipfile.ZipFile(monitor.saved() / "trace.zip") as trace:
        assert all(step.name.encode() in trace.read("trace.trace") for step in result.steps)
    push_result(result, settings)
    metrics = get(f"{gateway}/metrics") or ""
    assert all(f'journey="{name}",location="local",step="{step.name}"}}' in metrics for step in result.steps)
    return result


def walk_under_pytest(folder: Path, name: str, address: str, waits: str) -> dict[str, Any]:
    """The run of the walk under pytest."""
    (folder / "journeys").mkdir(exist_ok=True)
    copyfile(WALKS / f"{name}.py", folder / "journeys" / f"{name}.py")
    command = [sys.executable, "-m", "pytest", *AS_A_USER, "-p", "no:cacheprovider", "--journey-json=runs.json"]
    environment = {**os.environ, "JOURNEY_WAITS": waits}
    subprocess.run([*command, f"--base-url={address}", "journeys"], cwd=folder, env=environment, check=False)
    (run,) = json.loads((folder / "runs.json").read_text())["runs"]
    return dict(run)


def outline(run: dict[str, Any]) -> object:
    """What a run has in common with every other one of the same walk."""
    return run["status"], run.get("failure"), [(step["name"], step["status"]) for step in run["steps"]]


def test_prometheus_runs_a_query_and_draws_its_graph(monitor: Monitor, gateway: str, tmp_path: Path) -> None:
    log, config, port = tmp_path / "queries.log", tmp_path / "prometheus.yml", free_port()
    config.write_text(f"global: {{query_log_file: '{log}'}}\n")
    address = f"http://127.0.0.1:{port}"
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
    with running([*command, f"--web.listen-address=127.0.0.1:{port}"], f"{address}/-/ready"):
        result = walk(monitor, "prometheus_graph", address, gateway)
    queries = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [one for one in queries if one["params"]["query"] == "vector(42)"]
    assert [one["httpRequest"]["path"] for one in asked][:1] == ["/api/v1/query"]
    assert result.steps[1].requests.ok >= 1


def test_datasette_opens_filters_and_runs_sql(monitor: Monitor, gateway: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "teas.db") as database:
        database.execute("create table leaves (id integer primary key, name text)")
        database.executemany("insert into leaves (name) values (?)", [("sencha",), ("oolong",), ("mint",)])
    database.close()
    log, port = tmp_path / "datasette.log", free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(["datasette", "serve", str(tmp_path / "teas.db"), "--port", str(port)], f"{address}/-/versions.json", log):
        result = walk(monitor, "datasette_table", address, gateway)
    loaded = [navigation.url.removeprefix(address) for step in result.steps for navigation in step.navigations]
    logged = log.read_text()
    assert len(loaded) >= 5
    assert all(f'"GET {path} HTTP/1.1" 200' in logged for path in loaded), (loaded, logged)


def test_jupyterlab_runs_a_cell(monitor: Monitor, gateway: str, tmp_path: Path) -> None:
    log, port = tmp_path / "jupyter.log", free_port()
    address = f"http://127.0.0.1:{port}"
    options = [f"--port={port}", "--no-browser", "--allow-root", "--IdentityProvider.token=", "--ServerApp.log_level=DEBUG"]
    options += [f"--ServerApp.root_dir={tmp_path}", "--ServerApp.ip=127.0.0.1", "--LabApp.news_url="]
    with serving(["jupyterlab", *options], f"{address}/api", log):
        result = walk(monitor, "jupyterlab_cell", address, gateway)
    logged = log.read_text()
    assert "GET /lab" in logged
    assert "POST /api/sessions" in logged
    assert result.steps[1].requests.ok >= 1
