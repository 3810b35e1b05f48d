"""What a worker says to schedulers, through a broker in this process."""

from pathlib import Path

import pytest
from celery import Celery

from runner.dispatch.broker import Names, results_queue
from runner.dispatch.worker.outbox import FOLDER, Outbox
from runner.settings.settings import load_settings
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
