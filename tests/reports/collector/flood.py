"""Stores beacons as fast as it can and prints the id of each when it is answered for: to be killed.

Each page view has two beacons: `ID` begins it, `ID-late` tells its LCP again, an INP and an error.
Run: `python -m tests.reports.collector.flood URL`.
"""

import os
import sys
import threading
import time

from reports.collector.storage import background
from reports.collector.storage.group_commit import Writer
from runner.archive.run_id import run_id
from tests.reports.collector.arrivals import arrival, click, error, view, vital

THREADS = 8


def keep_on(writer: Writer) -> None:
    while True:
        identity, session, now = run_id(), run_id(), time.time()
        seen = f"{identity}-view"
        first = view(id=seen, started_at=now, vitals=(vital("lcp", 1.0), vital("cls", 0.02)), interactions=(click("Add"),))
        late = view(id=seen, started_at=now, vitals=(vital("lcp", 2.6), vital("inp", 0.1)), errors=(error("bad"),))
        for beacon, about in ((identity, first), (f"{identity}-late", late)):
            if writer.put_blocking(arrival(about, at=now, session=session, id=beacon)):
                os.write(1, f"{beacon}\n".encode())


if __name__ == "__main__":
    # Roll-ups are made all the time, so that it is killed while it makes one.
    background.ROLL = 0.02
    with Writer(sys.argv[1]) as made:
        threads = [threading.Thread(target=keep_on, args=(made,), daemon=True) for _ in range(THREADS)]
        for one in threads:
            one.start()
        threads[0].join()
