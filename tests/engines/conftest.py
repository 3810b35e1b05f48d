"""A receiver of beacons, and a tab of each engine."""

from collections.abc import Iterator

import pytest

from runner.demo import running_shop
from tests.support.browsers import chrome as chrome
from tests.support.engines import driver as driver
from tests.support.engines import firefox as firefox
from tests.support.engines import tab as tab
from tests.support.engines import webkit as webkit
from tests.support.services.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of its own port, so that nothing of another test is in the browser's storage."""
    with receiving() as one:
        yield one


@pytest.fixture
def tea_shop(receiver: Receiver) -> Iterator[str]:
    """The demo shop, whose pages have the agent."""
    with running_shop(collector=receiver.address, key="k-1") as address:
        yield address
