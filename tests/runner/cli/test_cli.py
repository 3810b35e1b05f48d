"""The `journey` command as a user types it: its output, its files, its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from runner.demo import journeys_folder
from runner.workers.pool import Workers
from tests.runner.cli.folder import SANDBOX_OFF, WALK, Folder
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until


@pytest.fixture
def folder(tmp_path: Path, shop: str, pool: Workers) -> Folder:
    return Folder(tmp_path, shop, pool)


@pytest.mark.long
def test_run_prints_each_step_saves_and_exits_0(folder: Folder) -> None:
    ran = folder.process("run", "walk")
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = [line for line in ran.stdout.splitlines() if not line.startswith(SANDBOX_OFF)]
    assert re.match(r"walk  ✓ open  \d+\.\d{3} s", lines[0])
    assert lines[1].startswith("walk  ✓ passed in ")
    assert any((folder.path / "runs" / "walk").iterdir())


def test_a_failing_page_is_exit_1_with_step_reason_line_and_screenshot(folder: Folder) -> None:
    ran = folder.journey("run", "fall")
    assert ran.returncode == 1
    assert "fall  ✗ buy  failed after" in ran.stdout
    assert "in step 'buy': no button “Buy [now]”; the buttons there: " in ran.stdout
    assert "Locator expected to be visible" in ran.stdout
    line = next(number for number, text in enumerate(WALK.splitlines(), 1) if "Buy [now]" in text)
    assert f'at {folder.path}/journeys/walk.py:{line}: expect(page.get_by_role("button", name="Buy [now]"))' in ran.stdout
    assert re.search(r"screenshot.* in .*runs/fall/", ran.stdout)
    assert "journey show last-failed" in ran.stdout


def test_a_missing_browser_is_exit_3_with_what_to_do(folder: Folder) -> None:
    ran = folder.process("run", "walk", "--browser-path", "/nowhere/chromium")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "error: browser_path: /nowhere/chromium is not a program; install one with `journey install`" in ran.stderr


def test_a_browser_that_does_not_start_is_exit_3_and_named_in_the_run(folder: Folder) -> None:
    broken = folder.write("broken", "#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    ran = folder.journey("run", "walk", "--browser-path", str(broken))
    assert ran.returncode == 3
    assert "could not be started" in ran.stdout


def test_bad_journeys_are_exit_2_before_anything_starts(folder: Folder) -> None:
    folder.write("journeys/bad.py", "import nothing_here\n")
    ran = folder.journey("run")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "bad.py:1: cannot be imported" in ran.stderr
    assert not (folder.path / "runs").exists()
    assert folder.here("check").returncode == 2


def test_a_secret_that_is_not_set_is_exit_2_with_the_variable(folder: Folder) -> None:
    folder.write("journeys/in.py", "from runner import journey\n@journey\ndef sign_in(page, secrets):\n    secrets['PW']\n")
    ran = folder.journey("run", "sign_in")
    assert ran.returncode == 2
    assert "needs secret 'PW', which is not set; set it in the environment variable JOURNEY_SECRET_PW" in ran.stderr
    assert folder.here("check", "sign_in", JOURNEY_SECRET_PW="oolong").stdout == "ok: 1 journey in 1 file\n"


def test_over_budget_is_exit_4(folder: Folder) -> None:
    code = "from runner import journey\n@journey\ndef slow(page, step):\n    with step('a', budget='50ms'):\n        page.goto('/?delay=100')\n"
    folder.write("journeys/slow.py", code)
    ran = folder.journey("run", "slow")
    assert ran.returncode == 4
    assert "is over its budget of 0.050 s" in ran.stdout


def test_json_on_standard_output_is_nothing_but_json(folder: Folder) -> None:
    folder.write(
        "journeys/loud.py",
        "from runner import journey\n@journey\ndef loud(step):\n    print('noise')\n    with step('a'): ...\n",
    )
    ran = folder.process("run", "walk", "fall", "loud", "--json", "-")
    document = json.loads(ran.stdout)
    assert (ran.returncode, document["version"]) == (1, 1)
    assert [(run["journey"], run["status"]) for run in document["runs"]] == [
        ("walk", "passed"),
        ("fall", "failed"),
        ("loud", "passed"),
    ]
    step = document["runs"][0]["steps"][0]
    assert {"name", "status", "latency_seconds", "wall_seconds"} <= set(step)
    assert Path(document["runs"][0]["folder"], "result.json").is_file()


def test_runs_that_cannot_be_saved_anywhere_are_exit_2_with_the_option(folder: Folder) -> None:
    folder.write("taken", "a file")
    ran = folder.journey("run", "walk", "--runs-dir", "taken")
    assert ran.returncode == 2
    assert "cannot be written: Not a directory; name another folder with --runs-dir" in ran.stderr


def test_a_run_that_passed_and_could_not_be_saved_is_exit_3_and_not_called_saved(folder: Folder) -> None:
    folder.write(
        "journeys/block.py",
        """
        from pathlib import Path
        from runner import journey

        @journey
        def block(page, step):
            with step("open"):
                page.goto("/")
            (Path(__file__).parents[1] / "runs" / "block").write_text("a file where the run's folder should be")
    """,
    )
    ended = folder.journey("run", "block")
    assert (ended.returncode, "saved in" in ended.stdout) == (3, False)
    assert "is not saved: " in ended.stdout


def test_json_file_that_cannot_be_written_is_named(folder: Folder) -> None:
    ran = folder.journey("run", "walk", "--json", "no/such/folder.json")
    assert ran.returncode == 2
    assert "--json no/such/folder.json: cannot be written" in ran.stderr


def test_repeat_tag_param_and_workers(folder: Folder) -> None:
    folder.write(
        "journeys/p.py",
        "from runner import journey\n@journey(tags=['p'])\ndef p(step, params):\n    with step(params['name']): ...\n",
    )
    ran = folder.journey("run", "--tag", "p", "--repeat", "3", "--workers", "2", "--param", "name=tea", "--json", "out.json")
    runs = json.loads((folder.path / "out.json").read_text())["runs"]
    assert (ran.returncode, [run["steps"][0]["name"] for run in runs]) == (0, ["tea"] * 3)
    assert folder.here("run", "--param", "name").returncode == 2


def test_a_dead_gateway_is_one_warning_and_only_required_pushes_fail(folder: Folder) -> None:
    gateway = f"http://127.0.0.1:{free_port()}"
    ran = folder.journey("run", "walk", "--repeat", "2", "--pushgateway", gateway)
    assert (ran.returncode, ran.stdout.count("warning: the Pushgateway")) == (0, 1)
    assert folder.journey("run", "walk", "--pushgateway", gateway, "--require-push").returncode == 3


def test_run_pushes_to_a_gateway(folder: Folder, gateway: str) -> None:
    assert folder.journey("run", "walk", "--pushgateway", gateway, "--location", "desk").returncode == 0
    assert 'synthetic_success{instance="",job="synthetic_monitor",journey="walk",location="desk"} 1' in (
        get(f"{gateway}/metrics") or ""
    )


def test_metrics_can_go_to_a_file(folder: Folder) -> None:
    assert folder.journey("run", "walk", "--metrics-file", "out.prom").returncode == 0
    assert 'synthetic_success{journey="walk",location="local"} 1.0' in (folder.path / "out.prom").read_text()


@pytest.mark.long
def test_ctrl_c_ends_cleanly_with_130(folder: Folder) -> None:
    code = "from runner import journey\n@journey\ndef quick(step):\n    with step('a'): ...\n@journey(timeout='1h')\ndef slow(page, step):\n"
    folder.write("journeys/slow.py", code + "    with step('hang'):\n        page.goto('/switch/hang', timeout=0)\n")
    command = [sys.executable, "-m", "runner.cli", "run", "quick", "slow", "--json", "out.json"]
    process = subprocess.Popen(command, cwd=folder.path, env=folder.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def descendants() -> list[psutil.Process]:
        return psutil.Process(process.pid).children(recursive=True)

    # The quick one is saved, and the slow one has its folder: it is under way.
    wait_until(lambda: list((folder.path / "runs" / "quick").glob("*Z-*")))
    wait_until(lambda: list((folder.path / "runs" / ".scratch").glob("*/*")))
    wait_until(lambda: any("headless" in one.name() for one in descendants()))
    started = descendants()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.decode()) == (130, "stopped; the runs that had ended are saved\n")
    psutil.wait_procs(started)
    assert [one for one in started if one.is_running() and one.status() != "zombie"] == []
    runs = json.loads((folder.path / "out.json").read_text())["runs"]
    assert [(run["journey"], run["status"]) for run in runs] == [("quick", "passed"), ("slow", "cancelled")]


def test_check_names_every_problem_of_every_file(folder: Folder) -> None:
    folder.write("journeys/one.py", "from runner import journey\n@journey(evry='5m', retries=-1)\ndef one(page): ...\n")
    folder.write("journeys/two.py", "from runner import journey\n@journey\ndef two(page, secrets): secrets['PW']\n")
    folder.write("journeys/three.py", "from runner import journey\n@journey(storage_state='no.json')\ndef three(page): ...\n")
    ran = folder.here("check")
    assert ran.returncode == 2
    named = [line.removeprefix("error: ").rpartition("/")[2].partition(".py:")[0] for line in ran.stderr.splitlines()]
    assert named == ["one", "one", "no.json does not exist; save one with `context.storage_state`", "two"], ran.stderr


def test_an_empty_folder_is_told_how_to_begin(folder: Folder) -> None:
    (folder.path / "journeys" / "walk.py").unlink()
    (folder.path / "journeys").rmdir()
    for command in ("run", "check", "list"):
        ran = folder.here(command)
        assert (ran.returncode, "begin a project with `journey init`" in ran.stderr) == (2, True), ran.stderr


def test_list_and_check_show_what_there_is(folder: Folder) -> None:
    listed = folder.here("list")
    assert "walk  look  5m" in " ".join(listed.stdout.split("\n")[1].split("   ")) or "journeys/walk.py:4" in listed.stdout
    assert json.loads(folder.here("list", "--json", "-").stdout)["journeys"][0]["every_seconds"] == 300
    assert folder.here("check").stdout == "ok: 2 journeys in 1 file\n"


@pytest.mark.thorough
def test_help_and_list_import_neither_playwright_nor_a_web_server(folder: Folder) -> None:
    code = (
        "import sys\nfrom runner.cli.all_commands import app\nsys.argv = ['journey', *sys.argv[1:]]"
        "\ntry:\n    app()\nexcept SystemExit: pass\n"
    )
    code += "heavy = {'playwright', 'starlette', 'uvicorn', 'prometheus_client', 'http.server'} & set(sys.modules)\nassert not heavy, heavy"
    for words in (["--help"], ["list"], ["check"], ["list", str(journeys_folder())]):
        ran = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=folder.path, env=folder.environment, capture_output=True, text=True
        )
        assert (ran.returncode, ran.stderr) == (0, "")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, shop: str, pool: Workers) -> Folder:
    """A folder with three saved runs, which are only looked at: two of walk, then one of fall."""
    made = Folder(tmp_path_factory.mktemp("kept"), shop, pool)
    assert made.journey("run", "walk", "--repeat", "2").returncode == 0
    assert made.journey("run", "fall").returncode == 1
    return made


def test_show_prints_a_run(kept: Folder) -> None:
    shown = kept.here("show", "last-failed").stdout
    assert shown.startswith("✗ fall: failed in ")
    assert "failed in step 'buy' (assertion)" in shown
    assert "/cart  [" in shown
    assert json.loads(kept.here("show", "walk@last", "--json", "-").stdout)["runs"][0]["status"] == "passed"
    missing = kept.here("show", "nothing")
    assert (missing.returncode, "no run 'nothing'" in missing.stderr) == (2, True)


def test_a_run_without_a_trace_says_which_policy_keeps_one(kept: Folder) -> None:
    ran = kept.here("trace", "walk@last", "--no-open")
    assert ran.returncode == 2
    assert "has no trace; `journey run --trace on` keeps one" in ran.stderr
    missing = kept.here("trace", "nowhere/trace.zip", "--no-open")
    assert (missing.returncode, missing.stderr.startswith("error: nowhere/trace.zip: there is no such file")) == (2, True)


def test_install_says_which_browser_is_used(folder: Folder) -> None:
    said = folder.journey("install").stdout.splitlines()
    assert said[0].split()[-1].count(".") == 3
    assert Path(said[1].split(" (")[0]).is_file()


def test_version(folder: Folder) -> None:
    assert folder.process("--version").stdout == "journey 0.1.0\n"


@pytest.mark.thorough
def test_demo_shows_a_failure_the_metrics_and_the_next_commands(folder: Folder) -> None:
    ran = folder.process("demo", JOURNEY_BASE_URL="http://nowhere.invalid")
    assert ran.returncode == 0, ran.stderr
    assert "browse  ✗ failed in " in ran.stdout
    assert 'journey="browse",location="local"} 0' in ran.stdout
    assert [ran.stdout.count(f"{name}  ✓ passed in ") for name in ("buy", "search", "stock")] == [1, 1, 1]
    assert all(
        command in ran.stdout
        for command in (
            "journey show last-failed",
            "journey trace last-failed",
            "journey demo --site-only",
            "journey demo --serve",
        )
    )
    assert "a sample week was put before them: 224 runs and " in ran.stdout
    last = json.loads((max((folder.path / "runs").glob("stock/*")) / "result.json").read_text())
    assert last["release"] == "2026.11"


@pytest.mark.thorough
def test_demo_without_a_gateway_goes_on_with_a_file(folder: Folder) -> None:
    path = os.pathsep.join(
        part for part in os.environ["PATH"].split(os.pathsep) if not Path(part, "prometheus-pushgateway").exists()
    )
    chromium = folder.journey("install").stdout.splitlines()[1].split(" (")[0]
    ran = folder.process("demo", PATH=path, JOURNEY_BROWSER_PATH=chromium)
    assert ran.returncode == 0, ran.stderr
    assert "metrics go to the file metrics.prom" in ran.stdout
    assert 'synthetic_success{journey="buy",location="local"} 1.0' in (folder.path / "metrics.prom").read_text()


def test_saved_runs_are_listed_filtered_compared_and_opened(kept: Folder) -> None:
    listed = kept.here("runs").stdout
    assert [line.split()[2] for line in listed.splitlines()] == ["status", "fall", "walk", "walk"]
    assert re.search(r"✗ failed +[\d.]+ s +buy ", listed)
    only = json.loads(kept.here("runs", "--status", "failed", "--since", "1h", "--json", "-").stdout)["runs"]
    assert [run["journey"] for run in only] == ["fall"]
    assert (Path(only[0]["folder"]) / "report.html").is_file()
    compared = kept.here("diff", "walk@last")
    assert (compared.returncode, "a run of walk, last one of fall" in compared.stderr) == (2, True)
    oldest = listed.split()[-1]
    assert "most changed phase" in kept.here("diff", oldest, "walk@last").stdout
    steps = json.loads(kept.here("diff", oldest, "walk@last", "--json", "-").stdout)["steps"]
    assert [one["name"] for one in steps] == ["open"]
    assert kept.here("open", "fall@last").stdout.strip() == only[0]["folder"]
    assert len(json.loads(kept.here("runs", "walk", "--limit", "1", "--json", "-").stdout)["runs"]) == 1


def test_old_runs_are_pruned(folder: Folder) -> None:
    folder.write("journeys/tick.py", "from runner import journey\n@journey\ndef tick(step):\n    with step('a'): ...\n")
    assert folder.journey("run", "tick", "--repeat", "3").returncode == 0
    told = folder.here("prune", "--dry-run", JOURNEY_KEEP_RUNS="1")
    assert "would remove" in told.stdout
    assert "over keep_runs = 1" in told.stdout
    assert len(folder.here("runs").stdout.splitlines()) == 4
    pruned = json.loads(folder.here("prune", "--json", "-", JOURNEY_KEEP_RUNS="1").stdout)
    assert [Path(one["folder"]).exists() for one in pruned["removed"]] == [False, False]
    assert len(folder.here("runs").stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("runs", "--status", "broken"), "--status 'broken' is not a status; choose one of passed, failed, error, cancelled"),
        (("runs", "--since", "yesterday"), "--since: 'yesterday' is not a duration"),
        (("open", "last"), "no run is saved in"),
    ],
)
def test_what_the_commands_on_saved_runs_refuse(folder: Folder, words: tuple[str, ...], message: str) -> None:
    ran = folder.here(*words)
    assert (ran.returncode, message in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("JOURNEY_REDACT", "card=(", "JOURNEY_REDACT: 'card=(' is not a regular expression"),
        ("JOURNEY_REDACT", "x*", "JOURNEY_REDACT: 'x*' matches the empty text"),
        ("JOURNEY_ARTIFACT_LIMIT", "lots", "JOURNEY_ARTIFACT_LIMIT: 'lots' is not a size"),
        ("JOURNEY_HAR", "always", "JOURNEY_HAR: 'always' is not a policy"),
        ("JOURNEY_KEEP_RUNS", "0", "JOURNEY_KEEP_RUNS: 0 is too few"),
    ],
)
def test_settings_of_artifacts_are_checked(folder: Folder, variable: str, value: str, message: str) -> None:
    ran = folder.here("check", **{variable: value})
    assert (ran.returncode, message in ran.stderr) == (2, True), ran.stderr
