"""What the collector refuses is logged, in bounds, and without the network of a visitor."""

import logging
from collections.abc import Callable
from urllib.parse import quote

import pytest

from reports.collector.admission.refusal_log import MOST_NETWORKS, RefusalLog
from reports.collector.errors import Refusal
from tests.support.services.collector import Served, beacon

SHOP = '[[apps]]\nname = "shop"\norigins = ["https://shop.example"]\nkey = "pub-7f3a90"\n'


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the audit log says was refused."""
    return [one.getMessage() for one in caplog.records if getattr(one, "action", "") == "refusal"]


def test_what_the_collector_refuses_is_logged_once_per_reason_and_then_counted(
    served: Callable[..., Served], caplog: pytest.LogCaptureFixture
) -> None:
    collector = served(SHOP)
    for _ in range(3):
        assert collector.post(beacon(key="guess")).status == 401
    hostile = quote("\x1b[2Jshop\n2026 ada signed in\u202e")
    assert collector.post({"load_time": 1}, f"/log-page-load?app={hostile}").status == 404
    assert collector.post(beacon(key="pub-7f3a90"), origin="https://elsewhere.example").status == 403
    assert refusals(caplog) == [
        "the collector refused 1 message from 1 network (wrong_key), the last one because this is not the key of app 'shop'",
        "the collector refused 1 message from 1 network (unknown_app), the last one because there is no app "
        r"'\x1b[2Jshop\n2026 ada signed in\u202e'",
        "the collector refused 1 message from 1 network (wrong_origin), the last one because nothing is accepted from "
        "https://elsewhere.example",
    ]


def test_a_flood_is_a_line_every_five_minutes_with_its_size(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    log = RefusalLog(lambda: now)
    refusal = Refusal(401, "wrong_key", "x" * 10_000)
    for number in range(5_000):
        log.note(refusal, f"10.{number // 256}.{number % 256}.0/24")
    now = 301.0
    log.note(refusal, "10.0.0.0/24")
    log.note(Refusal(503, "unavailable", "the database is away"), "10.0.0.0/24")
    log.note(Refusal(408, "slow", "the body did not arrive"), "10.0.0.0/24")
    first, second = refusals(caplog)
    assert first.startswith("the collector refused 1 message from 1 network (wrong_key)")
    assert second.startswith(f"the collector refused 5000 messages from {MOST_NETWORKS} or more networks (wrong_key)")
    assert len(second) < 400
    # No network is in it, and of an address only what the sender chose to write.
    assert "10." not in first + second
    assert {getattr(one, "network", "") for one in caplog.records if one.levelno == logging.WARNING} == {""}
