"""Files of runs and recordings: each is sent under a name of ours, and no browser keeps it."""

import re
from collections.abc import Callable

from sqlalchemy import text

from reports.replay.chunk_store import FOLDER, ChunkStore
from tests.reports.replay.synthetic import long_session
from tests.reports.web.test_one_read import saved
from tests.support.services.dashboard import Visited

Start = Callable[..., Visited]


def test_every_file_has_a_name_of_its_own_and_is_not_cached(dashboard: Start) -> None:
    served = dashboard()
    saved(served)
    long_session(ChunkStore(served.store, served.archive.folder / FOLDER), 1, 20)
    with served.store.connected() as connection:
        files = {row.kind: row.id for row in connection.execute(text("SELECT kind, id FROM artifacts"))}
        chunk = connection.execute(text("SELECT min(id) FROM replay_chunks")).scalar_one()
    shown = {
        f"/artifacts/{files['trace']}": "inline; filename*=UTF-8''trace.zip",
        f"/artifacts/{files['replay']}": "attachment; filename*=UTF-8''replay.json.gz",
        f"/artifacts/{files['console']}": "attachment; filename*=UTF-8''console.jsonl",
        f"/artifacts/{files['trace']}/frames/0": f'inline; filename="frame-{files["trace"]}-0.jpeg"',
        f"/replays/chunks/{chunk}": f'attachment; filename="recording-{chunk}.json.gz"',
    }
    for path, name in shown.items():
        # What a visitor proposes as a name counts for nothing.
        for address in (path, f"{path}?filename=evil.exe"):
            answer = served.get(address)
            assert (answer.status, answer.headers["content-disposition"]) == (200, name), address
            assert answer.headers["cache-control"] == "no-store", address
            assert "sandbox" in answer.headers["content-security-policy"], address
    assert not re.search("evil", "".join(shown.values()))
