"""PostgreSQL and the object storage are killed under dispatch and come back: nothing is lost, and no verdict is another one."""

from collections.abc import Callable, Iterator

import pytest

from runner.store import Store
from tests.faults.postgresql import Cluster, clusters
from tests.runner.dispatch.dispatching import check_ledger, held, let_go_on, start_dispatching, wait_until_begun
from tests.runner.dispatch.test_faults import QUICK, QUICK_WORKER
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon
from tests.support.services.journey_worker import JourneyWorker
from tests.support.services.storage_server import StorageServer
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that can be killed."""
    with clusters() as (first, _):
        first.create()
        first.start()
        yield first


def test_postgresql_that_is_killed_gets_the_result_that_has_come_meanwhile(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker], cluster: Cluster
) -> None:
    broker = new_broker("redis")
    daemon.write(held(daemon))
    worker = new_worker(broker)
    worker.start(before=QUICK_WORKER)
    start_dispatching(daemon, broker, before=QUICK, JOURNEY_DATABASE=cluster.url("postgres"))
    wait_until_begun(daemon)
    cluster.kill()
    let_go_on(daemon)
    wait_until(lambda: list((daemon.folder / "runs").glob("held/*/result.json")), "the result is saved")
    cluster.start()
    with Store(cluster.url("postgres")) as store:
        wait_until(lambda: store.count(status="passed") == 1, "the result is stored")
        wait_until(lambda: store.slots.count_by_state("held") == {"done": 1}, "its slot is closed")
    assert daemon.stop() == 0
    # A result that was acknowledged before it was stored would be gone; one that was not comes again, and counts once.
    start_dispatching(daemon, broker, before=QUICK, JOURNEY_DATABASE=cluster.url("postgres"))
    assert daemon.stop() == 0
    with Store(cluster.url("postgres")) as store:
        assert store.count() == 1
    assert (daemon.folder / "began").read_text() == "x", "it was walked once"


def test_a_storage_that_is_killed_changes_no_verdict_and_gets_all_files_when_it_is_back(
    daemon: Daemon,
    new_broker: Callable[[Kind], Broker],
    new_worker: Callable[..., JourneyWorker],
    storage_server: StorageServer,
) -> None:
    broker = new_broker("redis")
    daemon.write(held(daemon))
    worker = new_worker(broker)
    worker.start(before=QUICK_WORKER, JOURNEY_ARTIFACTS_TIMEOUT="10s", **storage_server.environment)  # type: ignore[arg-type]
    start_dispatching(daemon, broker, before=QUICK, **storage_server.environment)
    wait_until_begun(daemon)
    storage_server.kill()
    let_go_on(daemon)
    daemon.wait_for_runs(1, "held", "passed", 120)
    assert storage_server.storage.sizes() == {}
    storage_server.start()
    wait_until(lambda: any(one.endswith("/result.json") for one in storage_server.storage.sizes()), "the files", 120)
    check_ledger(daemon)
    assert daemon.runs() == 1
