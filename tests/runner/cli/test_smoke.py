"""`journey smoke` as a user types it, on the real shop: what it says, what it leaves behind, its exit codes."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from reports.smoke.archive import SmokeArchive
from reports.smoke.result import SmokeResult
from runner.cli.results.pictures import _select
from runner.errors import RunNotFound
from runner.workers.pool import Workers
from tests.pages import Page, answer, serving_pages
from tests.reports.samples import SMOKES
from tests.runner.cli.folder import SANDBOX_OFF, Folder
from tests.support.commands import Ended
from tests.support.services.otlp import SpanReceiver
from tests.support.services.servers import free_port
from tests.support.wait import wait_until

LOOK = """
from runner import journey

@journey(tags=["look"])
def look(page, step):
    with step("open"):
        page.goto("/")
"""
DECIDE_SOON = {"JOURNEY_SMOKE_LOOKS": "5", "JOURNEY_SMOKE_ALARM": "0.4", "JOURNEY_SMOKE_MISS": "0.4"}
"""Five runs that all point one way are enough."""


@pytest.fixture
def folder(tmp_path: Path, shop: str, pool: Workers) -> Folder:
    found = Folder(tmp_path, shop, pool)
    found.environment |= {"JOURNEY_SMOKE_WARM_UP": "0", "JOURNEY_SMOKE_RUNS": "2"}
    found.write("journeys/look.py", LOOK)
    return found


def result(folder: Folder) -> SmokeResult:
    return SmokeArchive(folder.path / "runs").find("last").result


def final(ran: Ended) -> str:
    """The first line after the rounds."""
    return ran.stdout.partition("\n\n")[2].partition("\n")[0]


def runs(folder: Folder) -> list[tuple[str, str]]:
    """Journey and status of each saved run, oldest first."""
    document = json.loads(folder.here("runs", "--limit", "99", "--json", "-").stdout)
    return [(run["journey"], run["status"]) for run in reversed(document["runs"])]


@pytest.mark.long
def test_smoke_runs_each_journey_in_turn_saves_all_and_exits_0(folder: Folder) -> None:
    site = folder.environment["JOURNEY_BASE_URL"]
    folder.write("journey.toml", "base_url = 'http://not-this-one.example'")
    for name in ("look", "again"):
        folder.write(
            f"journeys/{name}.py", LOOK.replace("def look", f"def {name}").replace("@journey(", f"@journey(base_url={site!r}, ")
        )
    ran = folder.process("smoke", "look", "again", "--runs", "2", "--warm-up", "1", JOURNEY_BASE_URL="")
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = [line for line in ran.stdout.splitlines() if not line.startswith(SANDBOX_OFF)]
    assert [line.split("  ")[0] for line in lines[:3]] == ["warm-up 1 of 1", "round 1 of 2", "round 2 of 2"]
    assert all(re.fullmatch(r"\w[\w -]+\d of \d  look \d+\.\d+ s  again \d+\.\d+ s", line) for line in lines[:3]), lines
    assert final(ran) == "passed: 2 journeys in 2 runs each"
    assert (
        runs(folder) == [("look", "passed"), ("again", "passed")] * 3
        or runs(folder)
        == [
            ("again", "passed"),
            ("look", "passed"),
        ]
        * 3
    )
    checked = result(folder)
    assert (checked.verdict, checked.warm_up, checked.base_url) == ("passed", 1, site)
    assert [len(one.runs) for one in checked.journeys] == [2, 2]
    assert len(list((folder.path / "runs" / "look").glob("*/report.html"))) == 3
    with create_engine(f"sqlite:///{folder.path / 'runs' / 'journeys.db'}").connect() as database:
        assert database.execute(text("SELECT count(*) FROM runs")).scalar() == 6


@pytest.mark.long
def test_a_failing_journey_is_exit_1_with_the_step_and_the_others_go_on(folder: Folder) -> None:
    ran = folder.journey("smoke", "fall", "look")
    assert ran.returncode == 1
    assert final(ran).startswith("failed: fall, step “buy”: Locator expected to be visible, 1 of 2 journeys")
    failed, passed = result(folder).journeys
    assert (len(failed.runs), len(passed.runs)) == (1, 2)
    assert f"see why: journey show {failed.failed_run} · journey trace {failed.failed_run}" in ran.stdout
    assert failed.trace
    assert Path(failed.trace).is_file()
    assert folder.journey("smoke", "fall", "--keep-going").returncode == 1
    assert len(result(folder).journeys[0].runs) == 2


def test_a_journey_that_breaks_by_itself_is_exit_3(folder: Folder) -> None:
    folder.write("journeys/bug.py", "from runner import journey\n@journey\ndef bug(page):\n    1 / 0\n")
    ran = folder.journey("smoke", "bug")
    assert (ran.returncode, final(ran)) == (3, "error: bug, step “bug”: ZeroDivisionError: division by zero, 1 of 1 journey")


def test_a_missing_browser_is_exit_3(folder: Folder) -> None:
    ran = folder.journey("smoke", "look", "--browser-path", "/nowhere/chromium")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "error: browser_path: /nowhere/chromium is not a program" in ran.stderr


@pytest.mark.thorough
def test_retries_are_only_those_of_the_command_line(folder: Folder) -> None:
    flaky = f"from runner import journey\nfrom pathlib import Path\nSEEN = Path({str(folder.path / 'seen')!r})\n"
    flaky += "@journey(retries=1)\ndef flaky(page):\n    seen = SEEN.exists()\n    SEEN.touch()\n    page.goto('/')\n    assert seen\n"
    folder.write("journeys/flaky.py", flaky)
    assert folder.journey("smoke", "flaky", JOURNEY_RETRIES="1").returncode == 1
    (folder.path / "seen").unlink()
    ran = folder.journey("smoke", "flaky", "--retries", "1")
    assert ran.returncode == 0
    assert "note: flaky is flaky: 1 of 2 runs passed only at a later attempt" in ran.stdout


def test_a_budget_of_a_step_is_held_on_the_median_and_missing_it_is_exit_4(folder: Folder) -> None:
    slow = "from runner import journey\n@journey\ndef slow(page, step):\n    with step('a', budget='50ms'):\n"
    file = folder.write("journeys/slow.py", slow + "        page.goto('/?delay=100')\n")
    ran = folder.journey("smoke", "slow")
    assert ran.returncode == 4
    assert final(ran).startswith("missed: slow, step “a”: median latency of ")
    assert " s is over the budget of 0.050 s (" in final(ran)
    ((held,),) = [step.budgets for step in result(folder).journeys[0].steps]
    assert held.where == f"{file}:4"


LOW: dict[str, object] = {
    **dict.fromkeys(("latency", "wall", "duration", "ttfb", "fcp", "lcp", "inp"), "1ms"),
    **dict.fromkeys(("cls", "requests", "failed_requests", "bytes", "page_errors"), 0),
}
HIGH = LOW | dict.fromkeys(("latency", "wall", "duration", "ttfb", "fcp", "lcp", "inp"), "1h")
HIGH |= {"cls": 99, "requests": 999, "failed_requests": 9, "bytes": "1GB", "page_errors": 9}


def test_every_figure_of_a_page_can_have_a_budget(folder: Folder) -> None:
    shifting = "document.body.insertAdjacentHTML('afterbegin', '<div style=height:300px>moved</div>')"
    folder.write(
        "journeys/all.py",
        "from runner import journey\n@journey\ndef all_of_it(page, step):\n    with step('a'):\n        page.goto('/')\n"
        "        page.get_by_role('searchbox').click()\n"
        f"        page.wait_for_timeout(700)\n        page.evaluate({shifting!r})\n"
        "        page.evaluate(\"fetch('/nowhere'); setTimeout(() => { throw new Error('oops') })\")\n"
        "        page.wait_for_timeout(300)\n",
    )
    of_a_step = {name: bound for name, bound in LOW.items() if name != "duration"}
    for budgets, missed in (({"all_of_it/a": of_a_step, "all_of_it": LOW}, True), ({"*": HIGH}, False)):
        tables = [
            f'"{key}" = {{ {", ".join(f"{name} = {json.dumps(bound)}" for name, bound in bounds.items())} }}\n'
            for key, bounds in budgets.items()
        ]
        folder.write("journey.toml", f"[budgets]\n{''.join(tables)}")
        ran = folder.journey("smoke", "all_of_it", "--runs", "1")
        (one,) = result(folder).journeys
        whole = {check.figure: check.missed for check in one.whole.budgets}
        assert whole == dict.fromkeys(LOW, missed), ran.stdout
        held = {check.figure: check.missed for step in one.steps for check in step.budgets}
        assert held == dict.fromkeys(of_a_step if missed else (), missed), ran.stdout
        assert ran.returncode == (4 if missed else 0)


def test_a_budget_that_fits_nothing_is_told_by_smoke_and_check(folder: Folder) -> None:
    folder.write("journey.toml", '[budgets]\n"look/opne" = { latency = "9s" }\n"lok" = { duration = "9s" }\n')
    checked = folder.here("check", "fall")
    assert checked.returncode == 0
    assert checked.stderr.splitlines() == [
        "warning: budgets.\"look/opne\": no step of 'look' has a name like 'opne'; did you mean 'open'?",
        "warning: budgets.\"lok\": no journey has a name like 'lok'; did you mean 'look'?",
    ]
    ran = folder.journey("smoke", "journeys/look.py", "--runs", "1")
    assert ran.returncode == 0
    assert "note: budgets.\"lok\": no journey has a name like 'lok'" in ran.stdout
    folder.write("journeys/bad.py", "import nothing_here\n")
    ran = folder.journey("smoke", "journeys/look.py", "--runs", "1")
    assert ran.returncode == 0
    assert "note: budgets and quarantine were only checked against the chosen journeys, as others cannot be read" in ran.stdout


@pytest.mark.thorough
def test_run_too_is_exit_4_when_a_run_is_over_a_budget_of_the_settings(folder: Folder) -> None:
    folder.write("journey.toml", '[budgets]\n"look/open" = { requests_p95 = 0 }\n"look" = { duration = "1ms" }\n')
    ran = folder.journey("run", "look")
    assert ran.returncode == 4
    assert "    open: requests " in ran.stdout
    assert "    the journey: duration " in ran.stdout
    assert "over its budget of 0.001 s" in ran.stdout
    assert folder.journey("run", "fall").returncode == 1
    folder.write("journey.toml", '[budgets]\n"look" = { duration = "1h" }\n')
    assert folder.journey("run", "look").returncode == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--runs", "0"), "--runs: 0 is too few; write a number from 1"),
        (("--max-runs", "0"), "--max-runs: 0 is too few"),
        (("--tolerance", "10"), "--tolerance: '10' is 10 times the baseline; write '10%'"),
        (("--undecided", "maybe"), "--undecided: 'maybe' is neither 'pass' nor 'fail'"),
        (("--baseline", "a", "--against", "http://x"), "--baseline and --against: both set what to compare with; use only one"),
        (("--baseline", "a"), "a.json does not exist; make one with `journey smoke --save-baseline a`"),
        (("--against", "shop.example"), "--against: 'shop.example' is not an address"),
        (("--save-baseline", "no/such/folder.json"), "--save-baseline no/such/folder.json: cannot be written"),
        (
            ("--json", "no/such/folder.json"),
            "--json no/such/folder.json: cannot be written; name a file in a folder that exists",
        ),
        (("--tag", "lok"), "no journey has the tag 'lok'; did you mean 'look'?"),
        (("--param", "x"), "--param 'x' has no value"),
    ],
)
def test_what_smoke_refuses_before_anything_is_run(folder: Folder, words: tuple[str, ...], message: str) -> None:
    ran = folder.here("smoke", "look" if "--tag" not in words else "*", *words)
    assert (ran.returncode, ran.stdout, message in ran.stderr) == (2, "", True), ran.stderr
    assert not (folder.path / "runs").exists()


def test_against_needs_two_sites(folder: Folder) -> None:
    folder.environment.pop("JOURNEY_BASE_URL")
    ran = folder.journey("smoke", "look", "--against", "http://127.0.0.1:1")
    assert ran.returncode == 2
    assert "--against: look has no base URL, so both sides would be the same site; give the site under test with" in ran.stderr


@pytest.mark.thorough
def test_a_baseline_is_saved_and_held_against(folder: Folder, slow_shop: str) -> None:
    first = folder.journey("smoke", "look", "--runs", "6", "--save-baseline", "main")
    assert first.returncode == 0
    assert f"the baseline is saved in {folder.path}/runs/.baselines/main.json\nwith 6 runs it shows only large" in first.stdout

    same = folder.journey("smoke", "look", "--baseline", "main", "--tolerance", "10%,2s", **DECIDE_SOON)
    assert (same.returncode, final(same)) == (0, "passed: 1 journey, no step is more than 10 % slower than main"), same.stdout
    (step,) = result(folder).journeys[0].steps
    assert step.comparison
    assert (step.comparison.outcome, step.comparison.runs, len(step.baseline_figures["latency"])) == ("same", (6, 5), 6)

    slower = folder.journey("smoke", "look", "--baseline", "main", "--base-url", slow_shop, **DECIDE_SOON)
    assert slower.returncode == 4
    assert final(slower).startswith("missed: look, step “open”: ")
    assert " % slower than main (" in final(slower)
    assert f"note: the baseline was measured otherwise: base URL {folder.environment['JOURNEY_BASE_URL']} → {slow_shop}" in (
        slower.stdout
    )
    source = result(folder).baseline
    assert source
    assert (source.kind, source.name, source.made_at is not None) == ("saved", "main", True)


@pytest.mark.thorough
def test_a_baseline_is_not_saved_when_the_check_has_not_passed(folder: Folder) -> None:
    ran = folder.journey("smoke", "fall", "look", "--save-baseline", "base.json")
    assert ran.returncode == 1
    assert "warning: base.json: the baseline is not saved, as the check did not pass" in ran.stdout
    assert not (folder.path / "base.json").exists()


@pytest.mark.thorough
def test_a_slower_site_is_found_by_measuring_the_other_one_side_by_side(folder: Folder, shop: str, slow_shop: str) -> None:
    words = ("smoke", "look", "--base-url", slow_shop, "--against", shop, "--seed", "7", "--json", "out.json")
    ran = folder.journey(*words, **DECIDE_SOON)
    assert ran.returncode == 4
    assert final(ran).startswith("missed: look, step “open”: ")
    assert f" % slower than {shop} (" in final(ran)
    assert "round 5 of at most 5  look " in ran.stdout
    assert "  1 of 1 step decided\n" in ran.stdout
    assert "(order of the sides: --seed 7)" in ran.stdout
    checked = result(folder)
    document = json.loads((folder.path / "out.json").read_text())
    assert (document["verdict"], document["id"], document["seed"], document["version"]) == ("missed", checked.id, 7, 1)
    (look,) = checked.journeys
    assert (len(look.runs), len(look.baseline_runs)) == (5, 5)
    bases = {
        run.name.partition("Z-")[2]: json.loads((run / "result.json").read_text())
        for run in (folder.path / "runs/look").iterdir()
    }
    assert {bases[one]["environment"]["base_url"] for one in look.runs} == {slow_shop}
    assert {bases[one]["environment"]["base_url"] for one in look.baseline_runs} == {shop}


@pytest.mark.thorough
def test_a_broken_reference_site_is_exit_3(folder: Folder) -> None:
    ran = folder.journey("smoke", "look", "--against", f"http://127.0.0.1:{free_port()}")
    assert ran.returncode == 3
    assert final(ran).startswith("error: look, step “open”: not passed on the reference site http://127.0.0.1:")
    assert "so nothing can be said: Page.goto: net::ERR_CONNECTION_REFUSED" in final(ran)


@pytest.mark.thorough
def test_undecided_passes_loudly_unless_it_is_to_fail(folder: Folder, shop: str) -> None:
    words = ("smoke", "look", "--against", shop, "--max-runs", "2")
    ran = folder.journey(*words)
    assert (ran.returncode, final(ran).startswith("nothing decided: 1 journey, 1 of 1 steps undecided")) == (0, True), (
        ran.stdout
    )
    assert "UNDECIDED: 1 step may or may not be slower; that does not fail this check, --undecided fail would:" in ran.stdout
    ran = folder.journey(*words, "--undecided", "fail")
    assert (ran.returncode, final(ran).startswith("missed: look, step “open”: undecided against ")) == (4, True)


@pytest.mark.thorough
def test_json_on_standard_output_is_nothing_but_json(folder: Folder) -> None:
    folder.write("journeys/loud.py", "from runner import journey\n@journey\ndef loud():\n    print('noise')\n")
    ran = folder.process("smoke", "look", "loud", "--json", "-")
    assert (ran.returncode, json.loads(ran.stdout)["verdict"]) == (0, "passed")
    assert "passed: 2 journeys in 2 runs each" in ran.stderr


@pytest.mark.thorough
def test_ctrl_c_saves_what_was_measured_and_is_exit_130(folder: Folder) -> None:
    hang = "from pathlib import Path\nfrom runner import journey\n@journey(timeout='1h')\ndef slow(page, step):\n    with step('a'):\n"
    hang += "        page.goto('/')\n        if Path('seen').exists():\n            page.goto('/switch/hang', timeout=0)\n"
    folder.write("journeys/slow.py", hang + "        Path('seen').touch()\n")
    command = [sys.executable, "-m", "runner.cli", "smoke", "look", "slow", "--json", "out.json"]
    process = subprocess.Popen(command, cwd=folder.path, env=folder.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: len(list((folder.path / "runs" / "look").glob("*Z-*"))) == 2)
    wait_until(lambda: list((folder.path / "runs" / ".scratch").glob("*/*")), "the next run, which hangs")
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.decode()) == (130, "")
    psutil.wait_procs(started)
    assert [one for one in started if one.is_running() and one.status() != "zombie"] == []
    checked = result(folder)
    assert (checked.verdict, checked.stopped) == ("error", True)
    assert [(one.name, one.verdict, len(one.runs)) for one in checked.journeys] == [("look", "passed", 2), ("slow", "error", 1)]
    assert "error: slow: stopped from the keyboard after 1 run, 1 of 2 journeys" in output.decode()
    assert json.loads((folder.path / "out.json").read_text())["stopped"] is True
    assert runs(folder)[-1] == ("slow", "cancelled")


def test_old_checks_are_pruned(folder: Folder) -> None:
    for _ in range(2):
        folder.journey("smoke", "look", "--runs", "1")
    environment = {"JOURNEY_KEEP_PASSED": "1ms"}
    told = folder.here("prune", "--dry-run", **environment)
    assert "/runs/.smoke/" in told.stdout
    assert "1 run and 1 smoke check to remove" in told.stdout
    document = json.loads(folder.here("prune", "--json", "-", **environment).stdout)
    assert [Path(one["file"]).exists() for one in document["checks"]] == [False]
    assert len(list((folder.path / "runs" / ".smoke").iterdir())) == 1


def test_runs_are_spans_on_request_and_never_metrics(folder: Folder, span_receiver: SpanReceiver) -> None:
    address = span_receiver.http
    given = {"JOURNEY_OTLP_ENDPOINT": address, "JOURNEY_OTLP_METRICS_ENDPOINT": address, "JOURNEY_REMOTE_WRITE": f"{address}/w"}
    assert folder.journey("smoke", "look", "--runs", "1", **given).returncode == 0
    assert span_receiver.paths == []
    # No run refers to a trace that nobody has got.
    assert [one.get("trace_id", "") for one in saved(folder)] == [""]
    assert folder.journey("smoke", "look", "--runs", "1", JOURNEY_TRACE_TESTS="true", **given).returncode == 0
    roots = [span.trace_id.hex() for span in span_receiver.spans if not span.parent_span_id]
    assert set(span_receiver.paths) == {"/v1/traces"}
    assert roots == [one["trace_id"] for one in saved(folder)[:1]]
    assert span_receiver.resource["journey.source"] == "smoke"


def saved(folder: Folder) -> list[dict[str, str]]:
    """The results of saved runs, newest first."""
    files = sorted((folder.path / "runs").glob("look/*/result.json"), reverse=True)
    return [json.loads(file.read_text()) for file in files]


@pytest.mark.thorough
@pytest.mark.long
def test_how_steps_look_is_kept_in_a_baseline_compared_and_accepted(folder: Folder) -> None:
    page = """
        from runner import journey

        @journey
        def look(page, step, params):
            with step("open"):
                page.set_content(f"<body style='background:{params['colour']}'>tea")
    """
    folder.write("journeys/look.py", page)
    words = ("smoke", "look", "--pictures", "--runs", "1", "--max-runs", "1", "--param")
    made = folder.journey(*words, "colour=navy", "--save-baseline", "release")
    assert made.returncode == 0, made.stdout
    assert "pictures: 1 not compared" in made.stdout
    assert (folder.path / "runs" / ".baselines" / "release.pictures.zip").is_file()
    again = folder.journey(*words, "colour=green", "--baseline", "release", "--undecided", "fail")
    assert again.returncode == 4
    assert (
        "the picture is undecided, 1 and 1 pictures are too few to tell it from chance; 100 % of it in 1 region" in again.stdout
    )
    listed = folder.here("pictures", "list", "look")
    assert listed.stdout.startswith("look, step “open”: the picture is undecided")
    written = folder.here("pictures", "diff")
    assert {Path(line).name for line in written.stdout.splitlines()} == {
        f"look-open-{view}.webp" for view in ("before", "after", "difference", "where")
    }
    assert all((folder.path / line).stat().st_size for line in written.stdout.splitlines())
    assert "nothing was accepted" in folder.here("pictures", "accept").stdout
    unknown = folder.here("pictures", "diff", "other")
    assert (unknown.returncode, "has no picture of that; it has pictures of: look 'open'" in unknown.stderr) == (2, True)


def test_a_check_without_a_passed_journey_has_no_pictures_and_says_why() -> None:
    with pytest.raises(RunNotFound, match=r"no step of check .* was pictured, as no journey of it has passed; `journey smoke"):
        list(_select(SMOKES["failed"], None, None))


def test_pictures_without_the_packages_say_how_to_get_them(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.pictures.requirements.PACKAGES", {"no_such_module": "numpy"})
    ran = folder.here("smoke", "look", "--pictures")
    assert (ran.returncode, "--pictures: numpy missing; install with: " in ran.stderr) == (2, True)


@pytest.mark.thorough
@pytest.mark.long
def test_smoke_measures_what_is_blocked_and_looks_again_at_what_is_slow(folder: Folder) -> None:
    script = "const ends = performance.now() + 400; while (performance.now() < ends);"
    pages: dict[str, Page] = {
        "/": "<p>hello</p><script>const s = document.createElement('script');"
        "s.src = `http://localhost:${location.port}/slow.js`; document.head.append(s)</script>",
        "/slow.js": lambda request: answer(
            request, f"{script}\nfunction neverCalled() {{ return 1; }}".encode(), kind="text/javascript"
        ),
    }
    with serving_pages(pages) as site:
        ran = folder.journey(
            *(
                "smoke",
                "look",
                "--base-url",
                site,
                "--block",
                "each",
                "--warm-up",
                "1",
                "--coverage",
                "--cpu-profile",
                "on-slow",
            ),
            *("--html", "smoke.html", "--json", "smoke.json"),
            JOURNEY_BUDGETS='"look/open" = { "third_party.requests" = 0, "script.unused_bytes" = "1MB" }',
            **DECIDE_SOON,
        )
        assert ran.returncode == 4, ran.stdout + ran.stderr
        (check,) = result(folder).journeys
        (block,) = check.blocked
        assert (block.name, block.pairs) == ("localhost", 5)
        assert not block.failed_runs
        costs = {one.figure: one for one in block.steps[0].costs}
        assert {costs["requests"].outcome, costs["latency"].outcome} == {"costs"}
        assert costs["requests"].difference == 1
        assert costs["latency"].difference > 0.1
        (step,) = check.steps
        busiest = next(one for one in step.profile if one.url)
        assert (busiest.url, busiest.line) == (f"http://localhost:{site.rpartition(':')[2]}/slow.js", 1)
        assert [(one.party, one.type) for one in check.unused] == [("third", "script")]
        missed = {one.figure: one.missed for one in step.budgets}
        assert missed == {"third_party.requests": True, "script.unused_bytes": False}
        assert len(check.runs) == 5
        assert {check.coverage_run, check.profile_run}.isdisjoint(check.runs)
        assert "Busiest functions in open" in (folder.path / "smoke.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--block", "each"), "the third parties are known from the warm-up"),
        (("--block", "third-party", "--against", "http://x.example"), "--block and --against"),
        (("--cpu-profile", "sometimes"), "not one of off, on-slow, always"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_runs(folder: Folder, options: tuple[str, ...], message: str) -> None:
    ran = folder.here("smoke", "look", *options)
    assert ran.returncode == 2
    assert message in ran.stderr
