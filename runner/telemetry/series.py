"""Series of samples, as they are sent: what remote write and OTLP have in common."""

import struct
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from runner.telemetry.native_histogram import NativeHistogram

Kind = Literal["gauge", "counter", "histogram"]
STALE = struct.unpack("<d", (0x7FF0000000000002).to_bytes(8, "little"))[0]
"""The value that ends a series: a NaN of its own, which a query never shows."""
NAME = "__name__"


class Exemplar(Struct, frozen=True):
    """What led to a value: labels such as the trace, and when (milliseconds since the epoch)."""

    labels: Mapping[str, str]
    value: float
    at: int


class Series(Struct, frozen=True):
    """A series, with its name as the label `__name__`, and samples: milliseconds since the epoch, value; in the order of time.

    It has `histograms` instead of `samples` where each value is a whole histogram.
    """

    labels: Mapping[str, str]
    samples: tuple[tuple[int, float], ...]
    exemplar: Exemplar | None = None
    histograms: tuple[tuple[int, NativeHistogram], ...] = ()
    kind: Kind = "gauge"
    help: str = ""
    began: int = 0
    """Since when a counter or a histogram counts: milliseconds since the epoch."""

    @property
    def name(self) -> str:
        """The metric."""
        return self.labels[NAME]


def is_stale(value: float) -> bool:
    """Whether it is the value that ends a series; a NaN is not equal to itself, so its bits are compared."""
    return struct.pack("<d", value) == struct.pack("<d", STALE)
