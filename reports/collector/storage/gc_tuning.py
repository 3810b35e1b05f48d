"""How the interpreter divides its time while beacons come in."""

import gc
import sys

TURN = 0.0005
"""Seconds after which a thread that computes lets another have its turn: a group must not wait 5 ms for the event loop."""
GARBAGE = 50_000
"""Objects made since the last look for garbage. Beacons leave none that needs one: looking took a sixth of all time."""


def tune_gc() -> None:
    """For a process that serves, when everything is loaded. What is loaded by then is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 100)
    sys.setswitchinterval(TURN)
