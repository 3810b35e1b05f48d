"""What a worker says to schedulers, through a broker in this process, and how it ends."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery

from runner.archive.archive import Archive
from runner.dispatch.broker.application import Names, results_queue
from runner.dispatch.worker.executor import RunExecutor
from runner.dispatch.worker.outbox import FOLDER, Outbox
from runner.dsl.plan import Plan
from runner.settings.load_settings import load_settings
from runner.workers.run_state import Slot
from tests.support.wait import wait_until


def test_what_is_left_is_sent_once_and_a_file_that_is_in_the_way_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(tmp_path, {"runs_dir": str(tmp_path)}, {"JOURNEY_BROKER": "redis://127.0.0.1"})
    left = tmp_path / FOLDER
    left.mkdir()
    (left / "a.json").mkdir()
    (left / "b.json").write_bytes(b"left by an earlier process")
    (left / "c.json").mkdir()
    app = Celery("here", broker="memory://", set_as_current=False)
    outbox = Outbox(app, settings, lambda: b"beat")
    try:
        outbox.keep("c", b"made now").result(30)
        wait_until(lambda: not outbox.waiting, "everything is sent")
    finally:
        assert outbox.stop(30) == 0
    with app.connection_for_read() as connection:
        queue = results_queue(Names(settings.queue_prefix))(connection.default_channel)
        sent = [message.body for message in iter(queue.get, None)]
    assert [one if isinstance(one, bytes) else one.encode() for one in sent] == [b"left by an earlier process", b"made now"]
    assert not (left / "b.json").exists()
    told = [one.message for one in caplog.records]
    assert any("a.json: a result of an earlier process cannot be read" in one for one in told)
    assert any("c.json cannot be removed" in one for one in told)


def test_what_is_asked_after_the_end_is_not_waited_for(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"runs_dir": str(tmp_path)}, {})
    pool: Any = SimpleNamespace(open=lambda *_: None, recycle_after=lambda *_: None)
    executor = RunExecutor(pool, None, settings, Archive(tmp_path))
    plan, slot = Plan(journey="buy", file=tmp_path / "j.py"), Slot(None, "01", datetime.now(UTC))
    before = executor.make_run(plan, slot)
    executor.close()
    assert before.cancelled()
    assert executor.make_run(plan, slot).cancelled()
