"""Remote write and OTLP metrics to a real VictoriaMetrics, if there is one."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from msgspec import Struct

from tests.runner.telemetry import test_otlp_metrics as otlp
from tests.runner.telemetry.test_remote_write import run, send, settings
from tests.support.services.servers import free_port, get, running
from tests.support.wait import wait_until

pytestmark = pytest.mark.skipif(
    shutil.which("victoria-metrics") is None, reason="victoria-metrics is missing; on Debian: apt-get install victoria-metrics"
)


class VictoriaMetrics(Struct):
    """A running server."""

    address: str

    def last(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series, of the last hour, as of now."""
        get(f"{self.address}/internal/force_flush")
        found = get(f"{self.address}/api/v1/query?query={quote(f'last_over_time({query}[1h])')}&nocache=1")
        result = json.loads(found or "{}").get("data", {}).get("result", [])
        return [(one["metric"], float(one["value"][1])) for one in result]

    def takes_otlp(self) -> bool:
        """Whether it knows OTLP; that of Debian 12 does not."""
        try:
            with urlopen(f"{self.address}/opentelemetry/v1/metrics", data=b"", timeout=10):
                return True
        except HTTPError as error:
            return b"unsupported path" not in error.read()


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    address = f"127.0.0.1:{free_port()}"
    command = ["victoria-metrics", f"-storageDataPath={tmp_path / 'victoria'}", f"-httpListenAddr={address}"]
    # Samples of the last seconds are hidden from queries otherwise.
    command += ["-search.latencyOffset=0s", "-memory.allowedBytes=100MB"]
    with running(command, f"http://{address}/health"):
        yield VictoriaMetrics(f"http://{address}")


def test_remote_write_in_either_version_arrives(victoria: VictoriaMetrics, tmp_path: Path) -> None:
    address = f"{victoria.address}/api/v1/write"
    assert send(settings(tmp_path, address), run(40), run(30, "failed")) == 0
    # It does not know version 2.0, nor native histograms: it gets 1.0, and the classic ones.
    newer = settings(tmp_path, address, remote_write_protocol="2.0", remote_write_histograms="both")
    newest = run(20, latency=0.7)
    assert send(newer, newest) == 0
    wait_until(lambda: [number for _, number in victoria.last('synthetic_runs_total{status="passed"}')] == [2])
    assert [number for _, number in victoria.last('synthetic_runs_total{status="failed"}')] == [1]
    [(labels, latency)] = victoria.last("synthetic_latency_seconds")
    assert (labels["journey"], labels["location"], labels["step"], latency) == ("buy", "office", "pay", 0.7)
    assert [number for _, number in victoria.last('synthetic_step_latency_seconds_bucket{le="0.5"}')] == [1]
    assert [number for _, number in victoria.last("synthetic_step_latency_seconds_count")] == [2]
    # Each at its own time.
    times = get(f"{victoria.address}/api/v1/export?match[]=synthetic_success&start={datetime.now(UTC).timestamp() - 7200}")
    assert json.loads(times or "")["timestamps"][-1] == round(newest.ended_at.timestamp() * 1000)


def test_otlp_metrics_arrive(victoria: VictoriaMetrics, tmp_path: Path) -> None:
    if not victoria.takes_otlp():
        pytest.skip("this victoria-metrics is too old to know OTLP")
    known = otlp.settings(tmp_path, f"{victoria.address}/opentelemetry/v1/metrics")
    assert send(known, run(40), run(30, latency=0.7)) == 0
    wait_until(lambda: [number for _, number in victoria.last('synthetic_runs_total{status="passed"}')] == [2])
    [(labels, latency)] = victoria.last("synthetic_latency_seconds")
    assert (labels["journey"], labels["location"], labels["step"], latency) == ("buy", "office", "pay", 0.7)
    assert [number for _, number in victoria.last("synthetic_step_latency_seconds_count")] == [2]
