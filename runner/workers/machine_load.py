"""How busy the machine is while something is measured on it."""

from pathlib import Path

import psutil
from msgspec import Struct

from runner.result import Load

PRESSURE = Path("/proc/pressure/cpu")
BUSY = 0.9
"""Share of all processors' time above which a run was measured under contention. On two cores a run alone shows 0.65 to 0.76,
beside one busy process 0.91 to 0.96."""
PRESSED = 0.7
"""Share of a run's time in which something waited for a processor. A run alone shows 0.4 to 0.5, as a browser is many processes;
beside three busy processes 0.83 and more."""


class LoadMeter(Struct):
    """Measures the load of the machine from the start of a run to its end."""

    _busy: float
    _total: float
    _pressure: float | None
    _at: float
    beside: int = 0
    """The maximum number of other runs at the same time; the pool keeps it up to date."""

    @classmethod
    def start(cls, at: float, beside: int) -> "LoadMeter":
        """A meter that starts at monotonic time `at`, beside `beside` other runs."""
        busy, total = _times()
        return cls(busy, total, _stalled(), at, beside)

    def read(self, at: float) -> Load:
        """The load since the start."""
        busy, total = _times()
        stalled = _stalled()
        spent = max(at - self._at, 0.001)
        pressure = None if stalled is None or self._pressure is None else min((stalled - self._pressure) / spent, 1.0)
        return Load(
            cpu_busy=round(min((busy - self._busy) / max(total - self._total, 0.001), 1.0), 3),
            cpu_pressure=None if pressure is None else round(pressure, 3),
            runs_beside=self.beside,
        )


def contended(load: Load) -> bool:
    """Whether durations measured under this load may be too high: more than one run per two processors, or a busy machine."""
    if (load.runs_beside + 1) * 2 > max(psutil.cpu_count() or 1, 2):
        return True
    return load.cpu_busy > BUSY or (load.cpu_pressure or 0.0) > PRESSED


def _times() -> tuple[float, float]:
    times = psutil.cpu_times()
    total = sum(times[:8])
    return total - times.idle - getattr(times, "iowait", 0.0), total


def _stalled() -> float | None:
    """Seconds since boot in which something waited for a processor (Documentation/accounting/psi.rst of Linux)."""
    try:
        first = PRESSURE.read_text().splitlines()[0]
        return int(first.rpartition("total=")[2]) / 1e6
    except (OSError, ValueError, IndexError):
        return None
