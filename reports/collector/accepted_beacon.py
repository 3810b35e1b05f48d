"""A beacon that has been let in, with what the collector knows of it beside what it says."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from reports.collector.beacon import Beacon
from runner.settings.parsers import Traffic

Device = Literal["desktop", "mobile", "tablet", "other"]


class Arrival(Struct, frozen=True, kw_only=True, gc=False):
    """What is stored and counted. Addresses in it are clean: no query, no fragment, but for keys that the app allows."""

    beacon: Beacon
    received_at: datetime
    pages: tuple[str, ...]
    """The route template of each view, such as `/item/:id`; the label `page`."""
    traffic: Traffic = "real"
    browser: str = ""
    """Family and major version, as in `Chrome 156`."""
    system: str = ""
    device: Device = "other"
