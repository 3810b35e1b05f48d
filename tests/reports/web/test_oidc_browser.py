"""The whole way through an identity provider that nobody here wrote, in a real browser."""

import json
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import expect

from tests.reports.web.accessible import violations
from tests.support.services.dashboard import Visited, made
from tests.support.services.servers import free_port, running

Start = Callable[..., Visited]
ADA = {"sub": "ada", "preferred_username": "ada.lovelace", "groups": ["operators"]}
EVE = {"sub": "eve", "preferred_username": "eve", "groups": ["guests"]}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of oidc-provider-mock in a process of its own, with two users."""
    port = free_port()
    # Another site than the dashboard, which is at 127.0.0.1: cookies and forms are treated as between strangers.
    address = f"http://localhost:{port}"
    claims = [word for one in (ADA, EVE) for word in ("--user-claims", json.dumps(one))]
    command = [sys.executable, "-P", "-m", "oidc_provider_mock", "--port", str(port), *claims]
    with running(command, f"{address}/.well-known/openid-configuration"):
        yield address


@pytest.fixture
def served(dashboard: Start, issuer: str) -> Visited:
    """A dashboard at which only the provider's users sign in."""
    named = {"ISSUER": issuer, "CLIENT_ID": "monitor", "CLIENT_SECRET": "any secret is right", "ROLES": "operators=operate"}
    one = dashboard({f"JOURNEY_OIDC_{name}": text for name, text in named.items()})
    one.store.add(made())
    return one


@pytest.mark.thorough
def test_a_user_signs_in_through_the_provider_and_out_of_both(served: Visited, issuer: str, chrome: Playwright) -> None:
    with chrome.new_context() as context:
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda one: refused.append(one.text) if "Content Security Policy" in one.text else None)
        page.goto(f"{served.address}/runs?status=passed")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert violations(page, []) == []
        page.get_by_role("link", name=f"Sign in with {issuer.removeprefix('http://')}").click()
        expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()
        page.get_by_role("button", name="ada", exact=True).click()
        expect(page.get_by_role("link", name="ada.lovelace")).to_be_visible()
        assert page.url == f"{served.address}/runs?status=passed"
        session = next(one for one in context.cookies() if one.get("name") == "journey")
        assert (session.get("httpOnly"), session.get("sameSite")) == (True, "Lax")
        assert not [one for one in context.cookies() if one.get("name") == "journey-attempt"]
        page.set_viewport_size({"width": 390, "height": 800})
        page.get_by_role("link", name="ada.lovelace").click()
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        assert violations(page, []) == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.get_by_role("button", name="Sign out").click()
        # The provider asks, since no token of the session is in the address.
        page.wait_for_url(f"{issuer}/**")
        assert "id_token" not in page.url
        page.get_by_role("button").first.click()
        page.goto(served.address)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert refused == []


@pytest.mark.thorough
def test_who_has_no_role_is_told_so(served: Visited, issuer: str, chrome: Playwright) -> None:
    with chrome.new_context() as context:
        page = context.new_page()
        page.goto(f"{served.address}/sign-in")
        page.get_by_role("link", name="Sign in with").click()
        page.get_by_role("button", name="eve", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("eve has signed in at localhost")
        expect(page.get_by_role("alert")).to_contain_text("but has no access to this dashboard")
        assert violations(page, []) == []


def test_an_answer_with_a_code_that_was_used_already_says_what_to_do(served: Visited, chrome: Playwright) -> None:
    with chrome.new_context() as context:
        page = context.new_page()
        seen: list[str] = []
        page.on("request", lambda one: seen.append(one.url) if "/callback" in one.url else None)
        page.goto(f"{served.address}/sign-in")
        page.get_by_role("link", name="Sign in with").click()
        page.get_by_role("button", name="ada", exact=True).click()
        expect(page.get_by_role("link", name="ada.lovelace")).to_be_visible()
        page.goto(seen[0])
        expect(page.get_by_role("alert")).to_contain_text("was finished already")
