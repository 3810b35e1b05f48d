"""The program of the process of checks: `python -m runner.workers.checks.main FD`. It never imports Playwright."""

import ctypes
import gc
import os
import signal
import sys
from multiprocessing.connection import Connection

from runner.workers.checks.jobs import serve

PR_SET_PDEATHSIG = 1
"""An option of prctl(2): the signal that this process gets when its parent ends."""


def main() -> None:
    """The process's entry."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The supervisor handles Ctrl-C and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a check prints must not mix with the JSON that the supervisor may be writing to standard output.
    os.dup2(2, 1)
    # Its core would print what servers say, control characters too.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    gc.freeze()
    serve(Connection(int(sys.argv[1])))
    sys.stderr.flush()
    # Threads of checks that overran their time may still be there.
    os._exit(0)


if __name__ == "__main__":
    main()
