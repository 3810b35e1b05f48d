"""An accepted beacon, with what the collector adds to it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from reports.collector.beacon import Beacon
from runner.settings.parsers.values import Traffic

Device = Literal["desktop", "mobile", "tablet", "other"]


class Arrival(Struct, frozen=True, kw_only=True, gc=False):
    """What is stored and counted. Its addresses are scrubbed: no query, no fragment, except for keys that the app allows."""

    beacon: Beacon
    received_at: datetime
    pages: tuple[str, ...]
    """The route template of each view, such as `/item/:id`; the label `page`."""
    traffic: Traffic = "real"
    browser: str = ""
    """Family and major version, as in `Chrome 156`."""
    system: str = ""
    device: Device = "other"
