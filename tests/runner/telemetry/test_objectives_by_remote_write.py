"""The written rules in a real Prometheus, on counters from remote write, come to what `journey slo` computes from the store."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from reports.objectives.prometheus_rules import render_prometheus_rules
from reports.objectives.state import read_objective
from runner.settings.sections.objectives import Objective
from runner.store import Store
from tests.runner.telemetry.test_remote_write import Address, run, send, settings
from tests.support.services.databases import copied
from tests.support.services.servers import Prometheus
from tests.support.wait import wait_until

CHECKOUT = Objective(name="checkout", journeys=("buy",), target=0.95)
FAST = Objective(name="fast", journeys=("buy",), target=0.9, step="pay", under=0.5)
OBJECTIVES = '[slo.fast]\njourneys = ["buy"]\nobjective = "90%"\nstep = "pay"\nunder = "500ms"\n'


@pytest.mark.thorough
def test_prometheus_and_the_store_agree(empty: Path, tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(OBJECTIVES)
    runs = [
        run(51 - number, "failed" if number % 10 == 3 else "error" if number % 10 == 7 else "passed") for number in range(50)
    ]
    runs += [run(0.9 - number / 10, latency=0.8) for number in range(4)]
    with ExitStack() as stack, Store(copied(empty, tmp_path / "runs")) as store:
        rules = render_prometheus_rules([CHECKOUT, FAST], {"checkout": 60, "fast": 60})
        prometheus = Address(tmp_path, stack)
        started = prometheus.start(rules)
        assert send(settings(tmp_path, prometheus.write), *runs) == 0
        for one in runs:
            store.add(one, None)
        with store.snapshot() as connection:
            known = {
                one.name: read_objective(connection, one, datetime.now(UTC) + timedelta(minutes=1)) for one in (CHECKOUT, FAST)
            }
        assert (known["checkout"].count.runs, known["checkout"].count.bad, known["checkout"].monitor_errors) == (49, 5, 5)
        assert (known["fast"].count.runs, known["fast"].count.bad) == (44, 4)
        for name, state in known.items():
            expected = pytest.approx(state.count.ratio, rel=0.05)
            wait_until(partial(agree, started, name, expected))


def agree(prometheus: Prometheus, name: str, expected: object) -> bool:
    """Whether the share of bad runs that the rules have recorded is the expected one."""
    found = prometheus.query(f'synthetic_slo:error_ratio{{slo="{name}",window="30d"}}')
    return bool(found) and float(found[0]["value"][1]) == expected
