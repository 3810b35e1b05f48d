"""Checks in the process that runs them: many at a time, without a browser, and none harms another."""

import json
import os
import re
import signal
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runner.archive.archive import Archive
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.events import AttemptStarted, Listener, Moment
from runner.result import RunResult
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans
from tests.runner.checks.servers import talking_server
from tests.support.commands import run_here
from tests.support.needs import needs

Run = Callable[..., list[RunResult]]


@pytest.fixture(scope="module")
@needs("real_time")
def checks() -> Iterator[Workers]:
    """A pool without a worker, which has a process of checks as soon as one is run."""
    with Workers(0) as pool:
        yield pool


@pytest.fixture
def run(tmp_path: Path, checks: Workers) -> Run:
    """Runs all checks of a source at the same time."""

    def run(source: str, *listeners: Listener, **options: object) -> list[RunResult]:
        file = tmp_path / "shop.py"
        file.write_text(f"import os, sys, time\nfrom runner import check\n{textwrap.dedent(source)}")
        settings = load_settings(tmp_path, options, {})
        plans = [plan(one, settings) for one in load_journeys(file)]
        results = run_plans(checks, plans, None, settings, Archive(settings.runs_dir), listeners)
        return sorted(results, key=lambda one: one.journey)

    return run


PASSES = """
@check
def passes(tcp):
    assert "playwright" not in sys.modules
    tcp.connect("{peer}", expect="220")
"""


def test_checks_run_without_a_browser_and_each_ends_at_its_own_timeout(run: Run) -> None:
    source = """
        @check(timeout=0.5)
        def a_waits(tcp):
            tcp.connect("{peer}", send="HANG\\n", expect="never")

        @check(timeout=0.5)
        def b_loops(tcp):
            tcp.connect("{peer}")
            while True:
                pass

        @check(timeout=0.5)
        def c_sleeps(tcp):
            tcp.connect("{peer}")
            time.sleep(600)

        @check(timeout=0.5)
        def d_swallows(tcp):
            try:
                tcp.connect("{peer}", expect="never")
            except AssertionError:
                pass
    """
    with talking_server() as port:
        source = textwrap.dedent(source) + PASSES
        found = run(source.replace("{peer}", f"127.0.0.1:{port}"))
    assert [(one.journey, one.status, one.failure and one.failure.kind) for one in found] == [
        ("a_waits", "failed", "timeout"),
        ("b_loops", "error", "deadline"),
        ("c_sleeps", "error", "deadline"),
        ("d_swallows", "failed", "timeout"),
        ("passes", "passed", None),
    ]
    assert {one.kind for one in found} == {"check"}
    assert [step.status for step in found[2].steps] == ["passed"], "what it had shown until then is kept"
    assert found[2].failure is not None
    # On a busy machine the supervisor may be sooner than the process that runs it.
    assert re.search(
        r"could not be ended when its timeout of 0\.5 s|still going 10 s after its timeout of 0\.5 s", found[2].failure.message
    )
    assert found[4].environment.browser == ""
    assert found[4].environment.playwright == ""


@pytest.mark.long
def test_the_next_checks_run_after_a_crash_which_costs_the_runs_in_the_process_alone(run: Run) -> None:
    with talking_server() as port:
        peer = f"127.0.0.1:{port}"
        (crashed,) = run(f"@check\ndef crashes(tcp):\n    tcp.connect('{peer}')\n    os._exit(7)\n")
        assert (crashed.status, crashed.failure and crashed.failure.kind) == ("error", "monitor")
        assert crashed.failure is not None
        assert "the process of the checks ended by itself with code 7" in crashed.failure.message
        assert [step.name for step in crashed.steps] == [f"connect to {peer}"]
        (passed,) = run(PASSES.replace("{peer}", peer))
        assert passed.status == "passed"


def test_many_checks_share_one_process(run: Run) -> None:
    begun: list[Moment] = []
    with talking_server() as port:
        source = "\n".join(
            f"@check(name='c{number}')\ndef c{number}(tcp):\n    tcp.connect('127.0.0.1:{port}', name=str(os.getpid()))\n"
            for number in range(100)
        )
        found = run(source, begun.append)
    assert [one.status for one in found] == ["passed"] * 100
    assert len({one.steps[0].name for one in found}) == 1
    assert sum(isinstance(one, AttemptStarted) for one in begun) == 100
    assert all(one.load is not None and one.load.runs_beside == 0 for one in found)


@pytest.mark.thorough
def test_a_process_is_replaced_after_its_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.workers.checks import pool

    monkeypatch.setattr(pool, "MOST_RUNS", 1)
    source = "@check\ndef f(tcp):\n    tcp.connect('127.0.0.1:{port}', name=str(os.getpid()))\n"
    with talking_server() as port:
        names = [run(source.format(port=port))[0].steps[0].name for _ in range(2)]
    assert names[0] != names[1]
    assert not psutil.pid_exists(int(names[0]))


@pytest.mark.thorough
def test_a_process_that_no_longer_answers_is_ended(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.workers import run_state

    monkeypatch.setattr(run_state, "GRACE", 0.5)
    pid = tmp_path / "pid"
    # Long enough for the check to begin on a busy machine.
    (hung,) = run(
        "@check(timeout=5)\ndef hung(tcp):\n"
        f"    open({str(pid)!r}, 'w').write(str(os.getpid()))\n    os.kill(os.getpid(), {int(signal.SIGSTOP)})\n"
        "    tcp.connect('localhost:1')\n"
    )
    assert (hung.status, hung.failure and hung.failure.kind) == ("error", "deadline")
    assert not psutil.pid_exists(int(pid.read_text()))


def test_secrets_are_hidden_in_results_and_in_what_is_printed(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], checks: Workers
) -> None:
    # One that an earlier test has started would print to where that test was captured.
    checks._checks.close()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "KEY").write_text("oolong-tea-77")
    with talking_server() as port:
        (found,) = run(
            f"@check\ndef f(tcp, secrets):\n    tcp.connect('127.0.0.1:{port}', send='EHLO x\\n', expect='250')\n"
            "    key = secrets['KEY'].reveal()\n    print('printed', key)\n    assert False, f'it is {key}'\n",
            secrets_dir=str(tmp_path / "secrets"),
        )
    assert found.failure is not None
    assert found.failure.message == "it is •••"
    checks._checks.close()
    assert "printed •••" in capfd.readouterr().err


def test_a_smoke_check_of_checks_needs_no_browser(tmp_path: Path, checks: Workers) -> None:
    with talking_server() as port:
        (tmp_path / "journeys").mkdir()
        (tmp_path / "journey.toml").write_text('[slo.x]\njourneys = ["bye"]\nobjective = "99%"\n')
        (tmp_path / "journeys" / "shop.py").write_text(
            f"from runner import check\n@check\ndef answers(tcp):\n    tcp.connect('127.0.0.1:{port}', expect='220')\n"
        )
        words = [
            "smoke",
            "--runs",
            "2",
            "--warm-up",
            "0",
            "--browser-path",
            str(tmp_path / "nowhere"),
            "--json",
            "-",
        ]
        ended = run_here(tmp_path, words, {"PATH": os.environ["PATH"]}, checks)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    (measured,) = result["journeys"]
    assert (measured["name"], measured["verdict"], len(measured["runs"])) == ("answers", "passed", 2)
    assert "slo.x.journeys: no journey is named bye; there are: answers" in result["notes"]
