"""What the roll-ups need from a beacon: kept beside its id, in the transaction that stores it."""

import msgspec
from msgspec import Struct

from reports.collector.frustration import NO_SIGNS, SignCounts
from runner.store.tables.page_views import METRICS, Metric

METRIC_NUMBERS: dict[Metric, int] = {name: number for number, name in enumerate(METRICS)}


class ViewChange(Struct, array_like=True, gc=False):
    """What a beacon has changed in one view."""

    series: int
    minute: int
    """When the view began, in whole minutes since the epoch."""
    view: int
    new: int
    """1 if nothing was known of the view before."""
    session: int
    """1 if nothing was known of its session."""
    failed: int
    """1 if this is the first error."""
    errors: int
    interactions: int
    requests: int
    values: list[tuple[int, float | None, float]]
    """The number of a metric, the value that was reported before, the value now."""
    signs: SignCounts = NO_SIGNS
    """Signs of frustration; beacons that an earlier version stored have none."""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(list[ViewChange]).decode
