"""The page of a recording, without a browser: what it says happened."""

from collections.abc import Callable

from reports.replay.chunk_store import FOLDER, ChunkStore
from tests.reports.collector.arrivals import click
from tests.reports.replay.synthetic import long_session
from tests.reports.web.visitors import NOW, fill, seen
from tests.support.services.dashboard import Visited


def test_an_interaction_is_named_once_beside_a_recording(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    session = long_session(ChunkStore(served.store, served.archive.folder / FOLDER), 1, 2)
    fill(served.store, [seen("/pay", NOW - 600, 1.0, session=session, interactions=(click("Pay"),))], [])
    page = served.get(f"/sessions/{session}/replay").body.decode()
    assert "click button “Pay”" in page
    assert "click</span> click" not in page
    assert "click: click" not in page
