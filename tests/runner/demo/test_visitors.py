"""The simulated visitors of the shop."""

import asyncio
import subprocess
import sys

import pytest

from runner.demo import running_shop
from runner.demo.behaviour import BEHAVIOURS
from runner.demo.visitors import send, visitor
from tests.support.needs import needs
from tests.support.services.receiver import receiving


def test_visitors_come_in_all_kinds_and_the_same_seed_sends_the_same_ones() -> None:
    crowd = [visitor(1, number, "156")[0] for number in range(200)]
    assert crowd == [visitor(1, number, "156")[0] for number in range(200)]
    assert crowd != [visitor(2, number, "156")[0] for number in range(200)]
    assert {who.behaviour for who in crowd} == {one.__name__ for one in BEHAVIOURS}
    assert 40 < sum(who.context["is_mobile"] for who in crowd) < 100


@pytest.mark.thorough
@needs("browser")
def test_visitors_look_like_people_to_a_collector() -> None:
    with receiving() as receiver, running_shop(collector=receiver.address) as shop:
        tally = asyncio.run(send(shop, 6, 2, seed=3, pace=0.05))
        assert (tally.visitors, tally.given_up) == (6, 0)
        beacons = receiver.wait(6)
    assert len({beacon.session for beacon in beacons}) == 6
    assert not any(beacon.webdriver for beacon in beacons)
    assert not any("Headless" in one.user_agent for one in receiver.arrived)
    assert len(receiver.views) >= tally.pages >= 6


def test_a_shop_that_is_not_there_is_named() -> None:
    command = [sys.executable, "-m", "runner.demo.visitors", "--shop", "http://127.0.0.1:9", "--visitors", "1"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "--shop http://127.0.0.1:9: nobody answers there" in answer.stderr
