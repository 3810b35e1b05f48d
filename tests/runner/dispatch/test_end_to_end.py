"""Everything between a journey's file and its trace in the dashboard: bundle, broker, worker, object storage, scheduler, `journey serve`."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.runner.bundles.conftest import KEY
from tests.runner.dispatch.dispatching import check_ledger, start_dispatching
from tests.support.browsers import module_chrome
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon, look
from tests.support.services.journey_worker import JourneyWorker
from tests.support.services.object_storage import Bucket
from tests.support.services.serve import Serve

chrome = module_chrome


@pytest.mark.thorough
def test_the_trace_of_a_run_that_a_worker_made_is_opened_from_the_dashboard(
    daemon: Daemon,
    new_broker: Callable[[Kind], Broker],
    new_worker: Callable[..., JourneyWorker],
    bucket: Bucket,
    serve: Serve,
    chrome: Browser,
) -> None:
    broker = new_broker("redis")
    daemon.write(look("24h"))
    shared = {**bucket.environment, "JOURNEY_BUNDLE_KEY": KEY.reveal(), "JOURNEY_TRACE": "on"}
    worker = new_worker(broker)
    worker.start(**shared)  # type: ignore[arg-type]  # they are variables
    start_dispatching(daemon, broker, **shared)
    daemon.wait_for_runs(1, status="passed")
    (saved,) = daemon.folder.rglob("result.json")
    result = json.loads(saved.read_text())
    assert daemon.stop() == 0
    assert worker.stop() == 0
    check_ledger(daemon)
    assert any(result["bundle"] in name for name in bucket.objects()), "the run names the bundle that it was made from"
    assert not (worker.folder / "journeys").exists(), "its files came with the bundle"
    assert list(daemon.folder.rglob("trace.zip")) == [], "only the storage has it"
    serve.folder = daemon.folder
    serve.start(**bucket.environment)  # type: ignore[arg-type]  # they are variables
    run, page = result["id"], chrome.new_page()
    page.goto(f"{serve.address}/runs/{run}")
    page.locator(f"a[href='/runs/{run}/trace']").first.click()
    entry = page.frame_locator("iframe.viewer").get_by_role("treeitem").filter(has_text="open").first
    expect(entry).to_be_visible(timeout=60_000)
    page.close()
    assert serve.stop()[0] == 0
