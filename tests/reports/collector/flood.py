"""Stores beacons as fast as it can and prints the id of each when it is answered for: to be killed.

Each page view has two beacons: `ID` begins it, `ID-late` tells its LCP again, an INP and an error.
"""

import os
import threading
import time
from multiprocessing.connection import Connection

from reports.collector.storage import background
from reports.collector.storage.group_commit import Writer
from runner.archive.run_id import run_id
from tests.reports.collector.arrivals import arrival, click, error, view, vital

THREADS = 8


def keep_on(writer: Writer, told: int) -> None:
    while True:
        identity, session, now = run_id(), run_id(), time.time()
        seen = f"{identity}-view"
        first = view(id=seen, started_at=now, vitals=(vital("lcp", 1.0), vital("cls", 0.02)), interactions=(click("Add"),))
        late = view(id=seen, started_at=now, vitals=(vital("lcp", 2.6), vital("inp", 0.1)), errors=(error("bad"),))
        for beacon, about in ((identity, first), (f"{identity}-late", late)):
            if writer.put_blocking(arrival(about, at=now, session=session, id=beacon)):
                os.write(told, f"{beacon}\n".encode())


def store(url: str, told: Connection, errors: Connection) -> None:
    """Stores in the database until it is killed; ids go to one pipe, and what Python has to complain of to another."""
    os.dup2(errors.fileno(), 2)
    # Roll-ups are made all the time, so that it is killed while it makes one.
    background.ROLL = 0.02
    with Writer(url) as made:
        threads = [threading.Thread(target=keep_on, args=(made, told.fileno()), daemon=True) for _ in range(THREADS)]
        for one in threads:
            one.start()
        threads[0].join()
