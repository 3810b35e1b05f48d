"""Browser, system, device and bots by their User-Agent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.collector.admission.user_agent import Client, parse_user_agent

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("text", "client"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36",
            Client("Chrome 131", "Windows", "desktop", False),
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            Client("Edge 131", "Windows", "desktop", False),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/131.0.0.0 Mobile Safari/537.36",
            Client("Chrome 131", "Android", "mobile", False),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/131.0.0.0 Safari/537.36",
            Client("Chrome 131", "Android", "tablet", False),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
            Client("Samsung Internet 26", "Android", "mobile", False),
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {WEBKIT} Version/17.4 Mobile/15E148 Safari/604.1",
            Client("Safari 17", "iOS", "mobile", False),
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
            Client("Safari 18", "macOS", "desktop", False),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
            Client("Firefox 132", "Linux", "desktop", False),
        ),
        (
            f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/156.0.0.0 Safari/537.36",
            Client("Chrome 156", "Linux", "desktop", True),
        ),
        (
            f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {WEBKIT} Chrome/131.0 Mobile Safari/537.36 (compatible; Googlebot/2.1)",
            Client("Chrome 131", "Android", "mobile", True),
        ),
        ("curl/8.5.0", Client("", "", "other", True)),
        ("", Client("", "", "other", True)),
    ],
)
def test_a_browser_is_known_by_its_user_agent(text: str, client: Client) -> None:
    assert parse_user_agent(text) == client


@given(st.text(max_size=2000))
def test_no_strangers_words_become_a_browser(text: str) -> None:
    client = parse_user_agent(text)
    assert len(client.browser) <= 24
    assert len(client.system) <= 10
