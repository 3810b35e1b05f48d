"""A scheduler that sends its runs, for tests."""

from tests.support.services.brokers import Broker
from tests.support.services.daemon import Daemon
from tests.support.wait import wait_until


def start_dispatching(daemon: Daemon, broker: Broker, location: str = "frankfurt", before: str = "", **more: str) -> None:
    """Starts a scheduler whose runs are made by the workers of a location."""
    daemon.start(
        before=before,
        JOURNEY_DISPATCH="celery",
        JOURNEY_BROKER=broker.url,
        JOURNEY_BROKER_PASSWORD=broker.password,
        JOURNEY_LOCATION=location,
        **more,  # type: ignore[arg-type]  # they are variables
    )


HELD = """
import time
from pathlib import Path
@journey(every="{every}")
def held(step):
    with step("wait"):
        Path({folder!r}, "began").open("a").write("x")
        while not Path({folder!r}, "goes-on").exists():
            time.sleep(0.05)
"""


def held(daemon: Daemon, every: str = "24h") -> str:
    """A journey that notes in the scheduler's folder that it has begun, and goes on when it may."""
    return HELD.format(every=every, folder=str(daemon.folder))


def wait_until_begun(daemon: Daemon, times: int = 1) -> None:
    """Waits until the journey has been begun so often."""
    file = daemon.folder / "began"
    wait_until(lambda: file.exists() and len(file.read_text()) >= times, f"begun {times} times", 90)


def let_go_on(daemon: Daemon) -> None:
    """Lets the journey end."""
    (daemon.folder / "goes-on").touch()


def check_ledger(daemon: Daemon) -> None:
    """What holds whatever happens: each run that is stored is the one of its slot, and no slot has two."""
    assert daemon.query("SELECT id FROM runs WHERE id NOT IN (SELECT run_id FROM slots WHERE run_id IS NOT NULL)") == []
    assert daemon.query("SELECT journey, location, slot_at FROM runs GROUP BY 1, 2, 3 HAVING count(*) > 1") == []
    walked = daemon.query(
        "SELECT id FROM runs WHERE status = 'passed' AND id NOT IN (SELECT run_id FROM steps WHERE status = 'passed')"
    )
    assert walked == [], "green without a step that was walked"
    counted = daemon.query("SELECT sum(passed + failed + error + cancelled) FROM run_days")[0][0] or 0
    assert counted == daemon.runs(), "the roll-ups count what is stored"
