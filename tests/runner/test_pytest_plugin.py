"""Journeys under pytest: it runs a project of its own, in a process of its own, against the shop."""

import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import msgspec
import pytest

from runner.demo import journeys_folder
from runner.dsl.discovery import discover
from runner.dsl.plan import plan
from runner.settings.load_settings import load_settings
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.runner.artifacts.test_leaks import everything, forms
from tests.support.needs import needs

pytest_plugins = ["pytester"]

# The warning is of pytest-playwright's own fixture `base_url`, under pytest 9.2. The plugins are those of our own tests, which users of
# journeys do not have: loading them takes two thirds of the CPU time of an empty pytest.
AS_A_USER = (
    "-W", "ignore:Session-scoped fixtures",
    *("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:platformdirs"),
)  # fmt: skip

HOME = os.environ.get("HOME", "")
ROOT = Path(__file__).parents[2]


class Project:
    """A folder with journeys, and what pytest makes of it."""

    def __init__(self, pytester: pytest.Pytester, shop: str) -> None:
        self.path = pytester.path
        self._pytester = pytester
        self._shop = shop

    def write(self, name: str, code: str) -> Path:
        """A file of the project."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code if file.suffix != ".py" else f"from runner import expect, journey\n{code}")
        return file

    def run(self, *args: str) -> pytest.RunResult:
        """Runs its tests against the shop."""
        return self.process(f"--base-url={self._shop}", "--journey-json=runs.json", *args)

    @needs("browser", "real_time")
    def process(self, *args: str) -> pytest.RunResult:
        """Runs pytest in a process of its own."""
        return self._pytester.runpytest_subprocess(*args, *AS_A_USER, timeout=240)

    def start(self, *args: str) -> pytest.RunResult:
        """Runs pytest in this process, which is quicker: for what ends before a browser is needed."""
        return self._pytester.runpytest_inprocess(*args, *AS_A_USER)

    @needs("real_time")
    def check(self, *args: str) -> pytest.RunResult:
        """Runs checks in this process; they need no browser, and say which machine they ran on."""
        return self.start(*args)

    def collect(self, *args: str) -> list[str]:
        """The ids of what pytest collects, in order."""
        return [line for line in self.start("--collect-only", "-q", *args).outlines if re.match(r"\S+\.py::", line)]

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        """The runs that were written, by the names of the journeys."""
        document = json.loads((self.path / "runs.json").read_text())
        assert document["version"] == 1
        return {run["journey"]: run for run in document["runs"]}


@pytest.fixture
def project(pytester: pytest.Pytester, shop: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project. Playwright's own browsers, if there are any, are in the user's home."""
    monkeypatch.setenv("HOME", HOME)
    monkeypatch.setenv("COLUMNS", "200")
    return Project(pytester, shop)


HOME_JOURNEY = """
@journey
def home(page, step):
    with step("open"):
        page.goto("/")
"""


# What becomes a test


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    assert entry_points(group="pytest11", name="journey")["journey"].value == "runner.pytest_plugin"


@pytest.mark.long
def test_journeys_become_tests_wherever_pytest_is_led_to_them(project: Project) -> None:
    project.write("journeys/buy.py", "@journey(name='buy-tea')\ndef buy(page): ...\n\ndef test_helper(): ...\n")
    project.write("journeys/more/look.py", "from buy import buy\n@journey\ndef look(page): ...\n")
    project.write("journeys/test_pasted.py", "@journey\ndef test_pasted(page): ...\n")
    project.write("journeys/_helper.py", "raise RuntimeError('not to be imported')\n")
    project.write("tests/test_shop.py", "def test_plain(): ...\n@journey\ndef beside(page): ...\ndef helper(): ...\n")
    project.write("elsewhere/walk.py", "@journey\ndef walk(page): ...\n")
    buy, look, pasted = "journeys/buy.py::buy", "journeys/more/look.py::look", "journeys/test_pasted.py::test_pasted"
    tests = ["tests/test_shop.py::test_plain", "tests/test_shop.py::beside"]
    assert sorted(project.collect()) == sorted([buy, look, pasted, *tests])
    assert sorted(project.collect("journeys")) == sorted([buy, look, pasted])
    assert project.collect("tests") == tests
    assert project.collect("journeys/buy.py::buy", "elsewhere/walk.py") == [buy, "elsewhere/walk.py::walk"]
    assert project.collect("-k", "buy-tea") == [buy]


@pytest.mark.long
def test_the_settings_name_the_folders_of_journeys(project: Project) -> None:
    project.write("journey.toml", 'journeys = ["walks", "single.py"]\n')
    for name in ("walks/a.py", "single.py", "journeys/not_there.py"):
        project.write(name, HOME_JOURNEY)
    assert project.collect() == ["single.py::home", "walks/a.py::home"]


@pytest.mark.thorough
@pytest.mark.long
def test_tags_become_markers_that_are_registered(project: Project) -> None:
    project.write("journeys/a.py", '@journey(tags=["slow 3G", "skip", "checkout"])\ndef a(page): ...\n')
    project.write("journeys/b.py", "@journey(tags=['checkout'])\ndef b(page): ...\n")
    project.write("tests/test_c.py", "def test_c(): ...\n")
    a, b = "journeys/a.py::a", "journeys/b.py::b"
    for expression, found in {"slow_3G": [a], "tag_skip": [a], "checkout and not slow_3G": [b], "journey": [a, b]}.items():
        assert project.collect("--strict-markers", "-m", expression) == found


@pytest.mark.long
def test_a_file_that_cannot_be_imported_is_told_as_journey_run_tells_it(project: Project) -> None:
    broken = project.write("journeys/broken.py", "import nothing_of_this_name\n")
    wrong = project.write("journeys/wrong.py", "@journey(evry='5m')\ndef wrong(page): ...\n")
    alone = project.write("journeys/alone.py", "@journey(signed_in_by='nobody')\ndef alone(page): ...\n")
    shown = project.start().stdout.str()
    assert f"{broken}:2: cannot be imported: ModuleNotFoundError: No module named 'nothing_of_this_name'" in shown
    assert f"{wrong}:2: unknown option 'evry'; did you mean 'every'?" in shown
    assert f"{alone}:2: option signed_in_by: 'nobody' is not a journey of this file" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("--journey-param=tea", "--journey-param 'tea' has no value; write it as --journey-param tea=value"),
        ("--journey-env=moon", "no environment named 'moon'"),
        ("--journey-json=no/such/folder.json", "cannot be written; name a file in a folder that exists"),
        ("--journey-html=no/such/folder.html", "cannot be written; name a file in a folder that exists"),
        ("--journey-budgets=maybe", "invalid choice: 'maybe'"),
    ],
)
def test_an_option_that_cannot_be_used_ends_pytest_before_any_test(project: Project, argument: str, told: str) -> None:
    project.write("journeys/a.py", HOME_JOURNEY)
    result = project.start(argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str() + result.stdout.str()


def test_a_project_without_journeys_imports_no_playwright_and_is_not_held_up_by_settings(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEY_PLANNER_KEY", "of another program")
    (project.path / "test_a.py").write_text("import sys\ndef test_a():\n    assert 'playwright' not in sys.modules\n")
    project.process("-p", "no:playwright").assert_outcomes(passed=1)
    project.write("journeys/a.py", HOME_JOURNEY)
    assert "JOURNEY_PLANNER_KEY is not a setting" in project.start().stderr.str()


@pytest.mark.long
def test_without_pytest_playwright_journeys_are_left_out_and_the_reason_is_told(project: Project) -> None:
    project.write("journeys/a.py", HOME_JOURNEY)
    project.write("test_a.py", "def test_a(): ...\n")
    project.start("-p", "no:playwright").stdout.fnmatch_lines(
        ["journeys: not collected, pytest-playwright is missing; *install *?test?*", "*1 passed*"]
    )
    named = project.start("-p", "no:playwright", "journeys/a.py")
    named.stdout.fnmatch_lines(["*a.py:3: home cannot be run: pytest-playwright is missing; *"])


def test_a_journey_in_quarantine_is_expected_to_fail_until_its_last_day(project: Project, shop: str) -> None:
    project.write("journeys/ping.py", "from runner import check\n" + PINGS.replace("SHOP", urlsplit(shop).netloc))
    today = datetime.now(UTC).date()
    for until, counts in (
        (today + timedelta(days=1), {"xfailed": 1, "passed": 1}),
        (today - timedelta(days=3), {"failed": 1, "passed": 1}),
    ):
        entry = f'owner = "ann"\nreason = "late"\nuntil = {until}\n'
        project.write("journey.toml", f"[quarantine.down]\n{entry}[quarantine.up]\n{entry}")
        result = project.check("-rxf", "--journey-json=runs.json")
        result.assert_outcomes(**counts)
        assert result.ret == (0 if "xfailed" in counts else 1)
        assert [one.get("over", False) for one in project.runs["down"]["quarantine"]] == ["failed" in counts]
        words = "and does not count (ann: late)" if "xfailed" in counts else f"ended on {until} and it counts again"
        assert words in result.stdout.str()


PINGS = """
@check
def down(tcp):
    tcp.connect("127.0.0.1:1")

@check
def up(tcp):
    tcp.connect("SHOP")
"""


PLAIN = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_many(n):
    assert n != 1, "one is <b>bad</b>"

@pytest.mark.skip(reason="not today")
def test_skipped(): ...

@pytest.mark.xfail(reason="known bug")
def test_known(): assert 0

@pytest.fixture
def broken(): raise RuntimeError("no database")

def test_setup(broken): ...
"""


@pytest.mark.long
def test_plain_tests_are_in_the_report_and_in_the_json(project: Project) -> None:
    project.write("tests/test_plain.py", PLAIN)
    project.write("tests/test_broken.py", "import nothing_of_this_name\n")
    written = ("--journey-html=report.html", "--journey-json=runs.json", "--journey-report-dir=report")
    project.start(*written, "--continue-on-collection-errors").assert_outcomes(
        passed=2, failed=1, skipped=1, xfailed=1, errors=2
    )
    told = {
        one["id"].rpartition("/")[2]: one["attempts"] for one in json.loads((project.path / "runs.json").read_text())["tests"]
    }
    assert {name: one["outcome"] for name, (one,) in told.items()} == {
        "test_broken.py": "error",
        "test_plain.py::test_many[0]": "passed",
        "test_plain.py::test_many[1]": "failed",
        "test_plain.py::test_many[2]": "passed",
        "test_plain.py::test_skipped": "skipped",
        "test_plain.py::test_known": "xfailed",
        "test_plain.py::test_setup": "error",
    }
    messages = [
        told[f"test_plain.py::{name}"][0]["message"] for name in ("test_many[1]", "test_skipped", "test_known", "test_setup")
    ]
    assert messages == ["AssertionError: one is <b>bad</b>", "not today", "known bug", "RuntimeError: no database"]
    page = (project.path / "report.html").read_text()
    assert "<h1>7 tests: 3 failed, 2 passed, 2 skipped</h1>" in page
    assert "one is &lt;b&gt;bad&lt;/b&gt;" in page
    assert [one.name for one in (project.path / "report").iterdir()] == ["index.html"], "no trace, no viewer"


def test_a_report_folder_with_other_files_is_left_alone(project: Project) -> None:
    kept = project.write("precious/thesis.txt", "x")
    refused = project.start("--journey-report-dir=precious")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert "holds 'thesis.txt', which is not of a report; name a folder of its own" in refused.stderr.str()
    assert kept.exists()


@pytest.mark.thorough
def test_the_report_has_all_processes_attempts_and_the_one_that_died(project: Project) -> None:
    project.write("journeys/walk.py", FAILING.partition("@journey\ndef teapot")[0])
    project.write(
        "tests/test_more.py",
        "import os\nfrom pathlib import Path\n"
        "def test_again():\n    seen = Path('seen')\n    first = not seen.exists()\n    seen.touch()\n    assert not first, 'once'\n"
        "def test_dies(): os._exit(3)\n",
    )
    again = ("-n", "2", "--reruns=1", "--only-rerun=once", "--tracing=retain-on-failure", "--screenshot=only-on-failure")
    project.run(*again, "--journey-report-dir=report", "--journey-html=report.html")
    tests = {one["id"].rpartition("::")[2]: one for one in json.loads((project.path / "runs.json").read_text())["tests"]}
    assert [one["outcome"] for one in tests["test_again"]["attempts"]] == ["failed", "passed"]
    assert {one["outcome"] for one in tests["test_dies"]["attempts"]} == {"crashed"}
    assert {one["worker"][:2] for test in tests.values() for one in test["attempts"]} == {"gw"}
    assert tests["cart"]["run"] == project.runs["cart"]["id"]
    page = (project.path / "report" / "index.html").read_text()
    (link,) = re.findall(r'class="open" href="\./viewer/index\.html\?trace=\.\./(data/\d+/trace\.zip)"', page)
    assert (project.path / "report" / link).is_file()
    assert (project.path / "report" / "viewer" / "index.html").is_file()
    assert 'src="data:image/png;base64,' in (project.path / "report.html").read_text()


# How it runs


@pytest.mark.thorough
@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "two"])
def test_the_shops_journeys_run_as_they_are_by_the_clock_of_journey_run(
    project: Project, monitor: Monitor, processes: tuple[str, ...]
) -> None:
    shutil.copytree(journeys_folder(), project.path / "journeys", ignore=shutil.ignore_patterns("__pycache__"))
    # On a crowded machine a step may well be over its budget, which is another test.
    result = project.run("-v", "--junitxml=junit.xml", "-W", "error", "--journey-budgets=off", *processes)
    result.assert_outcomes(passed=4)
    nodes = {f"journeys/{name}.py::{name}" for name in ("browse", "buy", "search", "stock")}
    assert {line.split()[0] for line in result.outlines if line.startswith("journeys/") and " passed in " in line} == nodes
    result.stdout.re_match_lines([r"=+ journeys =+", r"  ✓ .*  \d\.\d{3} s  \(wall \d\.\d{3} s\)"])
    stock = next(one for one in ElementTree.parse(project.path / "junit.xml").iter("testcase") if one.get("name") == "stock")
    properties = {one.get("name"): one.get("value") or "" for one in stock.iter("property")}
    assert properties["step.look at the page.status"] == "passed"
    latency, wall = (float(properties[f"step.look at the page.{clock}_seconds"]) for clock in ("latency", "wall"))
    assert 0 < latency < wall
    if processes:
        return
    settings = load_settings(monitor.folder, {"base_url": monitor.shop}, {})
    plans = [plan(one, settings) for one in discover([journeys_folder()])]
    for expected in run_plans(monitor.pool, plans, monitor.chromium, settings, monitor.archive, []):
        told = project.runs[expected.journey]
        assert [(one["name"], one["status"], one["clock"], one["cause"], one["budget_seconds"]) for one in told["steps"]] == [
            (one.name, one.status, one.clock, one.cause, one.budget_seconds) for one in expected.steps
        ]
        assert (told["status"], told["attempts"], told["tags"]) == (expected.status, 1, list(expected.tags))
        assert told["environment"] == msgspec.to_builtins(expected.environment)
        assert told["steps"][-1]["requests"].keys() == msgspec.to_builtins(expected.steps[-1].requests).keys()


FAILING = """
@journey
def cart(page, step):
    with step("open", budget="1ms"):
        page.goto("/cart")
    with step("look"):
        expect(page.get_by_text("Check out")).to_be_visible(timeout=200)
    with step("buy"):
        page.goto("/checkout")

@journey
def teapot(page, step):
    with step("open"):
        page.goto("/product/cracked-teapot")

@journey
def bug(page, step):
    with step("bug"):
        {}["x"]

@journey
def slow(page, step):
    with step("open", budget="1ms"):
        page.goto("/cart")

@journey
def soft(page, step):
    with step("banner", soft=True):
        page.goto("/cart")
        assert False, "no banner"
    with step("after"):
        page.goto("/")

@journey
def swallows(page, step):
    try:
        with step("swallowed"):
            assert False, "and not told"
    except AssertionError:
        pass

@journey(timeout="1s")
def loop(page):
    while True:
        pass

@journey(timeout="700ms")
def hang(page, step):
    page.goto("/cart")
    with step("wait"):
        page.get_by_role("button", name="Not there").click()

@journey(timeout="700ms")
def stubborn(page, step):
    page.goto("/cart")
    with step("again"):
        while True:
            try:
                while True:
                    try:
                        page.wait_for_timeout(60000)
                    except:
                        pass
            except:
                pass

@journey
def secret(page, secrets):
    page.fill("input", secrets["NOT_SET"].reveal())
"""


@pytest.mark.thorough
def test_a_failing_journeys_report_is_led_by_what_failed_and_says_whose_fault_it_is(project: Project) -> None:
    project.write("journeys/failing.py", FAILING)
    result = project.run("-v", "-rfE")
    result.assert_outcomes(failed=7, errors=3)
    shown = result.stdout.str()
    words = dict(re.findall(r"failing\.py::(\w+) (FAILED|MONITOR ERROR) +\[", shown))
    monitors = {"bug", "loop", "secret"}
    assert words == {name: "MONITOR ERROR" if name in monitors else "FAILED" for name in re.findall(r"def (\w+)", FAILING)}
    result.stdout.fnmatch_lines(
        [
            "step 'bug' ended with an error of the monitor, not of the site (journey)",
            "step 'loop' ended with an error of the monitor, not of the site (deadline)",
            "*failing.py:*: secret: secret 'NOT_SET' is not set; set it in the environment variable JOURNEY_SECRET_NOT_SET",
            "step 'look' failed (assertion)",
            "Locator expected to be visible",
            'at journeys/failing.py:8: expect(page.get_by_text("Check out")).to_be_visible(timeout=200)',
            "on http*/cart",
            "",
            "  ✓ open  *over its budget of 0.001 s",
            "  ✗ look  *",
            "  – buy  skipped",
            "*",
            '>           expect(page.get_by_text("Check out")).to_be_visible(timeout=200)',
            "step 'open' failed (http)",
            "HTTP 500 from http*/product/cracked-teapot",
            "step 'open': *.* s is over its budget of 0.001 s",
            "step 'banner' failed (assertion)",
            "  ✓ after  *",
            "step 'wait' failed (timeout)",
            "the run was still waiting for the page when its timeout of 0.7 s expired",
            "FAILED *::cart - step 'look' failed (assertion): Locator*",
        ]
    )
    assert "site-packages" not in shown
    statuses = {name: run["status"] for name, run in project.runs.items()}
    assert statuses == {
        **dict.fromkeys(("cart", "teapot", "soft", "swallows", "hang", "stubborn"), "failed"),
        **dict.fromkeys(monitors, "error"),
        "slow": "passed",
    }
    assert project.runs["cart"]["failure"]["line"] == 8


@pytest.mark.thorough
def test_budgets_can_be_a_warning(project: Project) -> None:
    project.write("journeys/a.py", HOME_JOURNEY.replace('"open"', '"open", budget="1ms"'))
    warned = project.run("--journey-budgets=warn")
    warned.assert_outcomes(passed=1, warnings=1)
    warned.stdout.fnmatch_lines(["*OverBudget: step 'open': *.* s is over its budget of 0.001 s"])


OPTIONS = """
from runner.dsl.options import Network

@journey(viewport="640x480", locale="de-DE", timezone="Asia/Tokyo", headers={"X-Team": "shop"}, user_agent_suffix="mine/1",
         geolocation=(1, 2), basic_auth=("me", "password"), ignore_https_errors=True, network="4g", cpu=2)
def own(page, context, browser, step, request, params, secrets):
    with step("look"):
        with page.expect_request("**/") as sent:
            page.goto("/")
        assert sent.value.headers["x-team"] == "shop"
        assert page.viewport_size == WIDTH
        assert page.evaluate("[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone]") == ["de-DE", "Asia/Tokyo"]
        assert page.evaluate("navigator.userAgent").endswith(AGENT)
        assert page.evaluate("async () => (await navigator.permissions.query({name: 'geolocation'})).state") == "granted"
    with step("ask the API"):
        assert request.get("/api/stock/kettle").json()["stock"] >= 0
    assert (params["product"], params["colour"], list(secrets)) == ("kettle", "red", [])
    assert page.context is context and context.browser is browser
"""
ORDINARY = """
def test_ordinary(page, step, params, secrets, request, base_url, browser_type_launch_args):
    assert request.node.name == "test_ordinary[chromium]"
    assert params["product"] == "kettle"
    assert browser_type_launch_args["args"] == ["--lang=fr"]
    with step("open", budget="1ms"):
        page.goto(base_url + "/")

def test_fails(page, step, base_url):
    with step("open"):
        page.goto(base_url + "/product/cracked-teapot")

def test_other(page):
    page.goto("about:blank")
"""


@pytest.mark.long
def test_a_journeys_options_hold_and_ordinary_tests_have_steps(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEY_PARAM_COLOUR", "red")
    project.write(
        "journey.toml", 'base_url = "http://127.0.0.1:1"\n[params]\nproduct = "cup"\n[env.staging.params]\nproduct = "kettle"\n'
    )
    project.write("journeys/own.py", OPTIONS.replace("WIDTH", '{"width": 640, "height": 480}').replace("AGENT", '" mine/1"'))
    project.write("tests/test_ordinary.py", ORDINARY)
    project.write(
        "conftest.py",
        "import pytest\n@pytest.fixture(scope='session')\ndef browser_type_launch_args(browser_type_launch_args):\n"
        "    return {**browser_type_launch_args, 'args': ['--lang=fr']}\n",
    )
    result = project.run("--journey-env=staging", "-rA")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "FAILED *::test_ordinary?chromium? - step 'open': *.* s is over its budget of 0.001 s",
            "FAILED *::test_fails?chromium? - step 'open' failed (http): HTTP 500 from *",
        ]
    )
    assert list(project.runs) == ["own"]
    assert project.runs["own"]["steps"][0]["latency_seconds"] > 0


@pytest.mark.thorough
def test_the_command_line_wins_over_a_journey_and_a_journey_over_the_file(project: Project) -> None:
    project.write("journey.toml", 'base_url = "http://127.0.0.1:1"\n')
    project.write(
        "journeys/own.py",
        "@journey(viewport='640x480', base_url='http://127.0.0.1:2', user_agent_suffix='mine/1')\ndef own(page):\n"
        "    page.goto('/')\n"
        "    assert page.viewport_size['width'] < 500\n"
        "    agent = page.evaluate('navigator.userAgent')\n"
        "    assert 'Pixel 7' in agent and agent.endswith('mine/1')\n",
    )
    project.run("--device=Pixel 7").assert_outcomes(passed=1)
    project.process("--journey-json=runs.json")
    assert project.runs["own"]["environment"]["base_url"] == "http://127.0.0.1:2"
    assert project.runs["own"]["failure"]["kind"] == "navigation"


SIGNED_IN = """
@journey
def sign_in(page, step):
    print("signing in with {password}")
    with step("open the form"):
        page.goto("/login")
    with step("send it"):
        page.get_by_label("Email").fill("tea@example.com")
        page.get_by_label("Password").fill("{password}")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("tea@example.com")).to_be_visible(timeout=2000)

@journey(signed_in_by="sign_in")
def first(page, step):
    with step("look"):
        page.goto("/")
        expect(page.get_by_text("tea@example.com")).to_be_visible(timeout=2000)

@journey(signed_in_by="sign_in")
def second(page, step):
    with step("look"):
        page.goto("/")
        expect(page.get_by_text("tea@example.com")).to_be_visible(timeout=2000)
"""


@pytest.mark.thorough
def test_a_set_up_journey_signs_in_once_a_session_and_its_failure_is_that_of_the_journey(project: Project) -> None:
    project.write("journeys/orders.py", SIGNED_IN.format(password="oolong-and-milk"))
    wrong = SIGNED_IN.format(password="wrong").replace("sign_in", "enter").replace("first", "third").replace("second", "fourth")
    project.write("journeys/wrong.py", wrong)
    recorded = ("--tracing=retain-on-failure", "--screenshot=only-on-failure")
    result = project.run("-s", "-k", "first or second or third", *recorded)
    result.assert_outcomes(passed=2, failed=1)
    kept = [file.relative_to(project.path / "test-results") for file in sorted((project.path / "test-results").rglob("*.*"))]
    assert [(file.name, "third" in file.parts[0]) for file in kept] == [("test-failed-1.png", True), ("trace.zip", True)]
    assert result.stdout.str().count("signing in with oolong-and-milk") == 1
    assert [step["name"] for step in project.runs["second"]["steps"]] == ["look"]
    steps = [(step["name"], step["status"]) for step in project.runs["third"]["steps"]]
    assert steps == [("enter: open the form", "passed"), ("enter: send it", "failed"), ("look", "skipped")]
    result.stdout.fnmatch_lines(
        ["step 'enter: send it' failed (http)", "signing in with 'enter': HTTP 422 from *", "  – look  skipped"]
    )


# Beside other plugins

LUCK = """
from pathlib import Path

@journey
def luck(page, step):
    with step("luck"):
        page.goto("/")
        once = Path(__file__).with_name("once")
        first = not once.exists()
        once.touch()
        assert not first, "bad luck"

@journey
def never(page, step):
    with step("never"):
        assert False
"""


@pytest.mark.thorough
def test_reruns_are_attempts_and_the_last_failed_ones_are_run_again(project: Project) -> None:
    project.write("journeys/luck.py", LUCK)
    project.run("--reruns=1", "-n", "1").assert_outcomes(passed=1, failed=1)
    run = project.runs["luck"]
    assert (run["status"], run["attempts"], run["earlier_attempts"][0]["failure"]["message"]) == ("passed", 2, "bad luck")
    assert [step["name"] for step in run["steps"]] == ["luck"]
    again = project.run("--lf", "-x")
    again.assert_outcomes(failed=1)
    assert list(project.runs) == ["never"]


HANGING = """
@journey(timeout="{own}")
def hanging(page, step):
    with step("hang"):
        page.goto("/cart")
        page.get_by_role("button", name="Not there").click()

@journey
def after(page, step):
    with step("open"):
        page.goto("/")
"""
HASTY = """
import pytest

def pytest_addoption(parser):
    parser.addoption("--hasty", action="store_true")

def pytest_collection_modifyitems(config, items):
    for item in items:
        if config.getoption("hasty") and "hanging" in item.name:
            item.add_marker(pytest.mark.timeout(4, method="signal", func_only=True))
"""


@pytest.mark.thorough
def test_a_journeys_timeout_and_pytest_timeouts_alarm_each_go_off_when_they_are_due(project: Project) -> None:
    file = project.write("journeys/hanging.py", HANGING.format(own="1s"))
    # On a busy machine a journey that does not hang may need longer than this, and so may a browser that is started.
    project.write("conftest.py", HASTY)
    project.run("--timeout=20", "--timeout-method=thread").assert_outcomes(failed=1, passed=1)
    assert project.runs["hanging"]["failure"]["message"].endswith("when its timeout of 1 s expired")
    file.write_text(file.read_text().replace("1s", "10m"))
    project.run("--hasty").assert_outcomes(errors=1, passed=1)
    assert "from pytest-timeout" in project.runs["hanging"]["failure"]["message"]


# Secrets

LEAKING = """
import logging
import pytest

@journey
def leak(page, step, request, secrets):
    text = secrets["PASSWORD"].reveal()
    with step("type it"):
        page.goto("/switch/mirror?names=user")
        page.get_by_label("user").fill(text)
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", name="Repeated")).to_be_visible()
    with step("say it"):
        print("printed", text)
        logging.getLogger("mine").warning("logged %s", text)
        request.get("/api/stock/kettle", headers={"Authorization": "Bearer " + text})
        assert text == "another text", f"expected {text}"

def test_ordinary(page, secrets, record_property):
    page.evaluate("text => document.body.textContent = text", secrets["PASSWORD"].reveal())
    record_property("given", secrets["PASSWORD"].reveal())
    print("printed", secrets["PASSWORD"].reveal())
    assert False
"""
PASSWORD = "pa$$ w<o>r&d'\"1"


@pytest.mark.thorough
@pytest.mark.parametrize("processes", [(), ("-n", "1")], ids=["this process", "a worker"])
def test_no_secret_is_in_anything_that_is_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch, ffmpeg: str, processes: tuple[str, ...]
) -> None:
    monkeypatch.setenv("JOURNEY_SECRET_PASSWORD", PASSWORD)
    project.write("tests/test_leak.py", LEAKING)
    found = {}
    for redaction in ("true", "false") if not processes else ("true",):
        monkeypatch.setenv("JOURNEY_REDACTION", redaction)
        kept = project.path / f"kept-{redaction}"
        kept.mkdir()
        recorded = ("--tracing=on", "--screenshot=on", "--video=on", f"--output={kept}/results", "--showlocals")
        told = (f"--junitxml={kept}/junit.xml", f"--journey-json={kept}/runs.json", f"--log-file={kept}/log.txt")
        result = project.run(*recorded, *told, *processes)
        result.assert_outcomes(failed=2)
        (kept / "printed.txt").write_text(result.stdout.str() + result.stderr.str())
        files = dict(everything(kept))
        wanted = forms(PASSWORD)
        found[redaction] = {
            name.partition("/")[0] for name, content in files.items() if any(form in content for form in wanted)
        }
        assert sum(name.endswith("trace.zip") for name in files) == 2
        assert sum(name.endswith(".png") for name in files) >= 2
        # A film is kept only where no secret has stood on the page.
        assert any(name.endswith(".webm") for name in files) is (redaction == "false")
    assert found.pop("true") == set()
    assert found in ({}, {"false": {"results", "junit.xml", "runs.json", "log.txt", "printed.txt"}})


# Documentation


def test_every_option_and_fixture_is_documented(project: Project) -> None:
    page = (ROOT / "docs" / "pytest.md").read_text()
    options = re.findall(r"--journey-\w+", project.start("--help").stdout.str())
    assert len(set(options)) == 6
    for name in {*options, "step", "params", "secrets", "browser_type_launch_args"}:
        assert f"`{name}" in page, name


@pytest.mark.thorough
def test_half_a_character_of_a_page_is_a_failure_of_the_site_in_every_report(project: Project) -> None:
    project.write(
        "journeys/half.py",
        '@journey\ndef half(page, step):\n    page.goto("/")\n    page.evaluate(r"""document.title = \'caf\\ud83d\'""")\n'
        "    with step('on ' + page.title()):\n        print(page.title())\n"
        "        assert page.title() == 'coffee', page.title()\n",
    )
    ended = project.run("--junit-xml=junit.xml", "--journey-html=report.html")
    ended.assert_outcomes(failed=1)
    assert "INTERNALERROR" not in ended.stdout.str() + ended.stderr.str()
    assert "caf\ufffd" in (project.path / "report.html").read_text()
    run = project.runs["half"]
    assert (run["status"], run["failure"]["message"].splitlines()[0]) == ("failed", "caf\ufffd")
    assert run["steps"][0]["name"] == "on caf\ufffd"
    assert ElementTree.parse(project.path / "junit.xml").find(".//failure") is not None


@pytest.mark.thorough
@pytest.mark.long
def test_a_test_with_steps_compares_with_a_picture_beside_it(project: Project) -> None:
    code = """
from runner import expect_picture

def test_looks(page, step):
    with step("open"):
        page.set_content("<body style='background:COLOUR'>")
        expect_picture(page, timeout=1)

def test_without_a_step(page):
    expect_picture(page)
"""
    file = project.write("test_look.py", code.replace("COLOUR", "navy"))
    project.process("-k", "test_looks", "--update-pictures").assert_outcomes(passed=1)
    (stored,) = (project.path / "pictures").rglob("*.png")
    assert (stored.name, stored.parent.name) == ("open.png", "test_looks-chromium")
    file.write_text("from runner import expect\n" + code.replace("COLOUR", "green"))
    ran = project.process()
    ran.assert_outcomes(failed=2)
    shown = ran.stdout.str()
    assert "PictureDiffers: 100 % of the picture differs, in 1 region" in shown
    assert "expect_picture is called outside of a step; write it under `with step(…):`" in shown
    kept = {one.name for one in (project.path / "test-results").rglob("*.png")}
    assert kept == {"open-expected.png", "open-actual.png", "open-difference.png"}


@pytest.mark.thorough
@pytest.mark.long
def test_a_test_with_steps_is_checked_for_accessibility_and_expects_it(project: Project) -> None:
    project.write(
        "test_access.py",
        """
from runner import expect_accessible

PAGE = "<!doctype html><html lang=en><title>t</title><h1>a</h1><img src=data:>"

def test_asks(page, step):
    with step("open"):
        page.set_content(PAGE)
        step.axe()
    with step("rest"):
        expect_accessible(page, off={"image-alt": "the logo"})

def test_expects(page, step):
    with step("open"):
        page.set_content(PAGE)
        expect_accessible(page)

def test_without_a_step(page):
    expect_accessible(page)
""",
    )
    ran = project.run()
    ran.assert_outcomes(passed=1, failed=2)
    shown = ran.stdout.str()
    assert "1 element breaks 1 rule of accessibility" in shown
    assert "critical image-alt: Images must have alternative text: img" in shown
    assert "expect_accessible is called outside of a step; write it under `with step(…):`" in shown
    tests = json.loads((project.path / "runs.json").read_text())["tests"]
    opened, rest = next(one["steps_run"]["steps"] for one in tests if "test_asks" in one["id"])
    assert [one["rule"] for one in opened["signals"]["accessibility"]["violations"]] == ["image-alt"]
    assert "signals" not in rest
