"""Sessions of the shop's visitors, recorded in a real browser, as journeys that hold."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from reports.codegen import Made, make_journey
from reports.codegen.verify import run_trial, verify_journey
from reports.replay.recording import Recording
from runner.browser.chromium import Browser
from runner.settings.settings import Settings
from tests.reports.replay.from_session.conftest import GIVEN, SECRETS
from tests.reports.replay.from_session.visits import aside, record

pytestmark = pytest.mark.thorough


def test_a_purchase_becomes_a_journey_that_passes_three_times(
    bought: Recording, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    made = aside(make_journey, bought, settings(params=GIVEN), yes=True)
    assert made.report.trial.verdict == "verified", made.report.trial
    assert made.report.trial.statuses == ("passed",) * 3
    assert made.report.resolved == len(made.report.actions)
    assert made.report.steps == (
        "open product oolong",
        "add to cart",
        "check out",
        "send Password",
        "continue to payment",
        "pay now",
        "open receipt",
    )


def test_nothing_that_was_typed_is_in_the_recording_or_in_the_journey(bought: Recording, made: Made) -> None:
    recorded = json.dumps([tab.events for tab in bought.tabs])
    for typed in ("oolong-and-milk", "4242 4242 4242 4242", "Camellia"):
        # The shop prints its password on the page, and shows a card's number as an example.
        assert typed not in made.source
    assert "Camellia" not in recorded
    assert made.report.params == ("email", "address")
    assert made.report.secrets == ("PASSWORD", "CARD_NUMBER")


def test_what_pays_is_not_tried_without_a_yes(
    made: Made, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    trial = verify_journey(made, tmp_path / "receipt.py", settings(params=GIVEN), yes=False).report.trial
    assert (trial.verdict, trial.statuses) == ("untried", ())
    assert trial.message.endswith("give --yes")


def test_what_has_to_be_given_is_said(made: Made, settings: Callable[..., Settings], tmp_path: Path) -> None:
    given = settings(params={"email": "tea@example.com"})
    trial = verify_journey(made, tmp_path / "receipt.py", given, yes=True).report.trial
    assert trial.verdict == "untried"
    assert "--param address=… JOURNEY_SECRET_PASSWORD=… JOURNEY_SECRET_CARD_NUMBER=…" in trial.message
    assert "email" not in trial.message


def test_a_journey_that_does_not_hold_says_at_which_action(
    made: Made, settings: Callable[..., Settings], chromium: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JOURNEY_SECRET_CARD_NUMBER", "not a card")
    trial = run_trial(made, tmp_path / "receipt.py", settings(params=GIVEN, action_timeout=2.0), chromium, runs=1)
    assert (trial.verdict, trial.statuses) == ("failed", ("failed",))
    (acted,) = (one for one in made.report.actions if one.number == trial.action)
    assert acted.code.endswith('get_by_role("button", name="Pay now").click()')


def browse(page: Page) -> None:
    page.goto("/app")
    page.get_by_label("What are you looking for?").fill("black tea")
    page.get_by_label("What are you looking for?").press("Enter")
    page.get_by_role("link", name="Lapsang Souchong").click()
    expect(page.get_by_role("heading", name="Lapsang Souchong")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("heading", name="Browse")).to_be_visible()


def test_routes_of_a_single_page_app_are_waited_for_and_not_opened(
    chromium: Browser, shop: str, settings: Callable[..., Settings]
) -> None:
    made = aside(make_journey, record(chromium, shop, browse), settings(params={"search": "black tea"}), yes=True)
    assert made.source.count(".goto(") == 1
    assert 'expect(page).to_have_url(re.compile(r"/app/item/lapsang([?#]|$)"))' in made.source
    assert made.report.trial.verdict == "verified", made.report.trial


def test_a_page_whose_text_is_masked_is_walked_by_what_was_noted_of_its_elements(
    chromium: Browser, shop: str, settings: Callable[..., Settings]
) -> None:
    def walk(page: Page) -> None:
        page.goto("/product/oolong")
        page.get_by_role("button", name="Add to cart").click()
        page.get_by_role("link", name="Check out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    made = aside(make_journey, record(chromium, shop, walk, mask_text=True), settings(), yes=True)
    assert "•" not in made.source
    assert 'page.get_by_role("link", name="Check out", exact=True).click()' in made.source
    assert made.report.trial.verdict == "verified", made.report.trial
