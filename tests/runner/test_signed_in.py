"""A state that is made once, used by others, and renewed when it no longer works."""

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from runner.browser.browser_storage import restore_sessions, save_storage
from runner.browser.chromium import Browser
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.errors import DiscoveryError
from runner.events import StepEnded
from runner.execution.sessions.state_secrets import MANY, tokens
from runner.result import RunResult
from runner.settings.load_settings import load_settings
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.pages import serving_pages
from tests.support.thorough import thorough_but

CODE = """
    @journey
    def sign_in(page):
        print("signing in")
        page.goto("/login")
        page.get_by_label("Email").fill("tea@example.com")
        page.get_by_label("Password").fill({password!r})
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("tea@example.com")).to_be_visible(timeout=2000)

    @journey(signed_in_by="sign_in")
    def walk(page, step):
        with step("look"):
            page.goto("/")
            expect(page.get_by_text("tea@example.com")).to_be_visible(timeout=2000)
"""
PASSWORD = "oolong-and-milk"


def run(monitor: Monitor, password: str = PASSWORD, **options: object) -> RunResult:
    walk = next(one for one in load_journeys(monitor.write(CODE.format(password=password))) if one.name == "walk")
    settings = load_settings(monitor.folder, {"base_url": monitor.shop, **options}, {})
    (result,) = run_plans(
        monitor.pool, [plan(walk, settings)], monitor.chromium, settings, monitor.archive, [monitor.moments.append]
    )
    return result


def state(monitor: Monitor) -> Path:
    return monitor.folder / "runs" / ".state" / "sign_in.json"


def test_the_state_is_made_once_and_only_its_owner_can_read_it(monitor: Monitor) -> None:
    first = run(monitor)
    made = state(monitor).read_bytes()
    assert (first.status, first.attempts, [step.name for step in first.steps]) == ("passed", 1, ["look"])
    assert stat.S_IMODE(state(monitor).stat().st_mode) == 0o600
    assert stat.S_IMODE(state(monitor).parent.stat().st_mode) == 0o700
    os.utime(state(monitor), (0, 0))
    second = run(monitor, password="a password that no longer works")
    assert state(monitor).stat().st_mtime > 0, "it is kept, as it is used"
    assert (second.status, second.attempts, state(monitor).read_bytes()) == ("passed", 1, made)
    # What the set-up does is in no step, and nothing of the state is a saved run.
    assert [moment.step.name for moment in monitor.moments if isinstance(moment, StepEnded)] == ["look", "look"]
    assert len(list(monitor.archive.runs())) == 2


@pytest.mark.thorough
def test_a_state_that_no_longer_works_is_made_anew(monitor: Monitor) -> None:
    run(monitor)
    forgotten = json.loads(state(monitor).read_bytes())
    for cookie in forgotten["cookies"]:
        cookie["value"] = "a-session-that-the-shop-has-forgotten"
    state(monitor).write_text(json.dumps(forgotten))
    result = run(monitor)
    assert (result.status, result.attempts, result.earlier_attempts[0].status) == ("passed", 2, "failed")
    assert any(note.startswith("the signed-in state was renewed with 'sign_in': ") for note in result.notes)
    assert "forgotten" not in state(monitor).read_text()


def test_a_sign_in_that_fails_is_the_runs_failure_and_leaves_no_state(monitor: Monitor) -> None:
    result = run(monitor, password="wrong")
    assert result.failure is not None
    assert (result.status, result.attempts, result.failure.kind) == ("failed", 1, "http")
    assert result.failure.message.startswith("signing in with 'sign_in': ")
    assert [(step.name, step.status) for step in result.steps] == [("sign_in", "failed"), ("look", "skipped")]
    assert result.failure.step == "sign_in"
    assert not state(monitor).exists()


@pytest.mark.thorough
def test_a_sign_in_that_fails_has_the_artifacts_and_steps_of_the_set_up_journey(monitor: Monitor) -> None:
    code = CODE.replace("def sign_in(page):", "def sign_in(page, step):")
    opened = """with step("open the form"):
            page.goto("/login")
            page.evaluate("console.log('at the form')")"""
    code = code.replace('page.goto("/login")', opened)
    code = code.replace(
        'page.get_by_role("button", name="Sign in").click()',
        'with step("look"):\n            expect(page.get_by_text("Signed in as nobody")).to_be_visible(timeout=300)',
    )
    walk = next(one for one in load_journeys(monitor.write(code.format(password=PASSWORD))) if one.name == "walk")
    settings = load_settings(monitor.folder, {"base_url": monitor.shop, "trace": "retain-on-failure"}, {})
    (result,) = run_plans(monitor.pool, [plan(walk, settings)], monitor.chromium, settings, monitor.archive, [])
    steps = [("sign_in: open the form", "passed"), ("sign_in: look", "failed"), ("look", "skipped")]
    assert [(step.name, step.status) for step in result.steps] == steps
    assert result.failure is not None
    assert result.failure.step == "sign_in: look"
    assert {"screenshot", "trace", "console"} <= {one.kind for one in result.artifacts}
    assert [one.step for one in result.artifacts if one.kind == "aria"] == ["sign_in: look"]
    assert "at the form" in (monitor.saved() / "console.jsonl").read_text()


@pytest.mark.thorough
def test_a_failure_in_a_session_that_works_is_not_walked_twice(monitor: Monitor) -> None:
    run(monitor)
    broken = CODE.format(password=PASSWORD).replace('step("look")', 'step("look further")').rstrip()
    broken += "\n            expect(page.get_by_text('a tea that is sold out')).to_be_visible(timeout=300)\n"
    walk = next(one for one in load_journeys(monitor.write(broken)) if one.name == "walk")
    settings = load_settings(monitor.folder, {"base_url": monitor.shop}, {})
    (result,) = run_plans(monitor.pool, [plan(walk, settings)], monitor.chromium, settings, monitor.archive, [])
    assert (result.status, result.attempts) == ("failed", 1)


def test_a_state_that_cannot_be_read_is_named_and_made_anew(monitor: Monitor) -> None:
    state(monitor).parent.mkdir(parents=True)
    state(monitor).write_text("no JSON")
    result = run(monitor)
    assert (result.status, result.attempts) == ("passed", 2)
    failure = result.earlier_attempts[0].failure
    assert failure is not None
    assert (failure.kind, str(state(monitor)) in failure.message) == ("monitor", True)


def test_the_states_cookies_are_hidden_in_a_trace(monitor: Monitor) -> None:
    run(monitor, trace="on")
    (session,) = [one["value"] for one in json.loads(state(monitor).read_bytes())["cookies"]]
    assert session.encode() not in (monitor.saved() / "result.json").read_bytes()
    with zipfile.ZipFile(monitor.saved() / "trace.zip") as trace:
        assert all(session.encode() not in trace.read(name) for name in trace.namelist())


@pytest.mark.parametrize("name", ["nobody", "walk"])
def test_a_set_up_journey_that_is_not_there_is_named(monitor: Monitor, name: str) -> None:
    file = monitor.write(CODE.format(password=PASSWORD).replace('signed_in_by="sign_in"', f"signed_in_by={name!r}"))
    with pytest.raises(DiscoveryError, match=f"walk.py:12: option signed_in_by: {name!r} is not a journey of this file"):
        load_journeys(file)


TOKEN = "tok3n-that-signs-in-9f31"
SIGNED_IN_WHERE = """<p>signed out</p><button>sign in</button><script>
    const where = new URLSearchParams(location.search).get("where");
    const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
    const store = async (mode) => {
        const request = indexedDB.open("auth", 1);
        request.onupgradeneeded = () => request.result.createObjectStore("tokens");
        return (await done(request)).transaction("tokens", mode).objectStore("tokens");
    };
    const ways = {
        local: [() => localStorage.token, (token) => { localStorage.token = token }],
        session: [() => sessionStorage.token, (token) => { sessionStorage.token = token }],
        database: [
            async () => done((await store("readonly")).get("token")),
            async (token) => done((await store("readwrite")).put(token, "token")),
        ],
    };
    const [read, write] = ways[where];
    const show = async () => { if (await read()) document.querySelector("p").textContent = "signed in"; };
    document.querySelector("button").onclick = async () => { await write("TOKEN"); await show(); };
    show();
</script>"""


@pytest.mark.parametrize("where", thorough_but(1, ["local", "session", "database"]))
def test_a_site_may_keep_its_token_in_any_storage(monitor: Monitor, where: str) -> None:
    code = f"""
        @journey
        def sign_in(page):
            page.goto("/?where={where}")
            page.get_by_role("button").click()
            expect(page.get_by_text("signed in", exact=True)).to_be_visible()

        @journey(signed_in_by="sign_in")
        def walk(page, context, step):
            with step("look"):
                page.goto("/?where={where}")
                expect(page.get_by_text("signed in", exact=True)).to_be_visible(timeout=3000)
                raise AssertionError("signed in with {TOKEN}")
    """
    with serving_pages({"/": SIGNED_IN_WHERE.replace("TOKEN", TOKEN)}) as site:
        walk = next(one for one in load_journeys(monitor.write(code)) if one.name == "walk")
        settings = load_settings(monitor.folder, {"base_url": site}, {})
        (result,) = run_plans(monitor.pool, [plan(walk, settings)], monitor.chromium, settings, monitor.archive, [])
    assert result.failure is not None
    assert result.failure.message == "signed in with •••"


@pytest.mark.thorough
def test_what_a_site_removes_from_its_session_storage_stays_removed(chromium: Browser, tmp_path: Path) -> None:
    saved = tmp_path / "state.json"
    read = "() => ({...sessionStorage})"
    with serving_pages({"/": "hello"}) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path)
        first = browser.new_context()
        page = first.new_page()
        page.goto(site)
        page.evaluate("sessionStorage.token = 'a'")
        saved.write_bytes(save_storage(first))
        second = browser.new_context(storage_state=saved)
        restore_sessions(second, saved)
        page = second.new_page()
        page.goto(site)
        assert page.evaluate(read)["token"] == "a"
        page.evaluate("sessionStorage.removeItem('token')")
        page.reload()
        assert "token" not in page.evaluate(read)
        other = second.new_page()
        other.goto(site)
        assert other.evaluate(read)["token"] == "a"
        browser.close()


def test_of_a_state_what_could_be_a_token_is_a_secret() -> None:
    drawing = "<svg>" + "M12 2C6.48 2 " * 5000 + "</svg>"
    state = {
        "cookies": [
            {"name": "sid", "value": "abcdefgh", "httpOnly": True},
            {"name": "theme", "value": "dark-mode", "httpOnly": False},
            {"name": "remember", "value": "a1b2c3d4", "httpOnly": False},
        ],
        "origins": [
            {
                "origin": "https://shop.example",
                "localStorage": [
                    {"name": "a-name-1234567890", "value": "t0ken-in-local"},
                    {"name": "sprite", "value": drawing},
                    {"name": "draft", "value": "two words and 12 more"},
                    {
                        "name": "auth",
                        "value": json.dumps({"access": {"token": "t0ken-in-json"}, "site": "https://a1.example/"}),
                    },
                ],
                "indexedDB": [{"name": "auth-db-123", "stores": [{"records": [{"key": "k", "value": {"t": "t0ken-in-idb"}}]}]}],
            }
        ],
        "sessionStorage": {"https://shop.example": [["name", "t0ken-in-session"]]},
    }
    found = ["abcdefgh", "a1b2c3d4", "t0ken-in-local", "t0ken-in-json", "t0ken-in-idb", "t0ken-in-session"]
    assert tokens(state) == found
    many = {"cookies": [{"name": "c", "value": f"{number:x}token", "httpOnly": True} for number in range(10**6, 10**6 + 5000)]}
    assert len(tokens(many)) == MANY
    deep: object = "t0ken-at-the-bottom"
    for _ in range(100):
        deep = json.dumps({"a": deep})[:100_000]
    assert tokens({"sessionStorage": {"https://a.example": [["n", deep]]}}) == []
    endless = {"sessionStorage": {"https://a.example": [["n", "[" * 5_000 + "]" * 5_000], ["t", "a1b2c3d4e5"]]}}
    assert tokens(endless) == ["a1b2c3d4e5"]
