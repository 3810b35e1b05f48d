"""The demo shop, and the four journeys on it."""

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from runner.demo import journeys_folder, running_shop
from runner.dsl.discovery import discover
from runner.dsl.plan import plan
from runner.settings.load_settings import load_settings
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.support.needs import needs
from tests.support.services.servers import get
from tests.support.wait import wait_until

TICK = 0.001
"""Seconds, more than a system's timer rounds to."""


@pytest.mark.long
def test_the_four_journeys_pass(monitor: Monitor) -> None:
    settings = load_settings(monitor.folder, {"base_url": monitor.shop}, {})
    plans = [plan(one, settings) for one in discover([journeys_folder()])]
    results = run_plans(monitor.pool, plans, monitor.chromium, settings, monitor.archive, [])
    assert [(one.journey, one.status) for one in results] == [(name, "passed") for name in ("browse", "buy", "search", "stock")]
    assert all(step.clock == "page" for one in results for step in one.steps if step.name != "ask the API")


def test_payment_from_another_origin_works_too(monitor: Monitor) -> None:
    result = monitor.run("""
        @journey
        def pay(page, step):
            with step("fill the cart and sign in"):
                page.goto("/product/mint")
                page.get_by_role("button", name="Add to cart").click()
                page.goto("/login?next=/checkout?frame=cross")
                page.get_by_label("Email").fill("tea@example.com")
                page.get_by_label("Password").fill("oolong-and-milk")
                page.get_by_role("button", name="Sign in").click()
            with step("pay"):
                page.get_by_label("Address").fill("1 Camellia Road")
                page.get_by_role("button", name="Continue to payment").click()
                frame = page.frame_locator("iframe[title=Payment]")
                frame.get_by_label("Card number").fill("4242 4242 4242 4242")
                frame.get_by_role("button", name="Pay now").click()
                expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    """)
    assert result.failure is None


@pytest.mark.parametrize("path", ["/?delay=200", "/api/products?delay=200", "/api/wait?delay=200"])
def test_delays_are_at_least_what_they_say(shop: str, path: str) -> None:
    started = time.monotonic()
    assert get(shop + path) is not None
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/product/cracked-teapot", 500),
        ("/switch/error?status=503", 503),
        ("/product/none", 404),
        ("/nowhere", 404),
        ("/api/stock/none", 404),
    ],
)
def test_broken_pages_answer_with_their_status(shop: str, path: str, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(shop + path)
    with caught.value as answer:
        assert answer.code == status


def test_a_wrong_password_is_refused_and_redirects_stay_on_the_site(shop: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(shop + "/login", data=b"email=tea@example.com&password=x", method="POST"))
    with caught.value as answer:
        assert (answer.code, b"Email or password is wrong." in answer.read()) == (422, True)
    page = get(shop + "/login?next=//evil.example/") or ""
    assert "evil.example" not in page


def test_what_is_searched_for_is_escaped(shop: str) -> None:
    page = get(shop + "/search?q=%3Cscript%3Ealert(1)%3C/script%3E") or ""
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@needs("real_time")
def test_the_access_log_has_exact_times(tmp_path: Path) -> None:
    log = tmp_path / "access.jsonl"
    with running_shop(access_log=log) as address:
        before = time.time()
        get(address + "/api/wait?delay=100")
        # The line is written after the answer has been sent.
        line = wait_until(
            lambda: next((one for one in map(json.loads, log.read_text().splitlines()) if one["path"] == "/api/wait"), None)
        )
    assert line["status"] == 200
    assert before <= line["started"]
    assert line["ended"] - line["started"] >= 0.1 - TICK


def test_without_its_extra_the_shop_says_what_to_install(tmp_path: Path) -> None:
    # As in an environment without uvicorn.
    code = "import sys, runpy; sys.modules['uvicorn'] = None; sys.argv = ['demo']; runpy.run_module('runner.demo', run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: the demo shop needs uvicorn; install with: ")
    assert "Traceback" not in ended.stderr
