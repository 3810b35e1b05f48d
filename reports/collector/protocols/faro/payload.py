"""A message of Grafana Faro's web SDK, as far as it is used; everything else is ignored."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct


class Frame(Struct, frozen=True):
    filename: str = ""
    function: str = ""
    lineno: int | None = None
    colno: int | None = None


class Stack(Struct, frozen=True):
    frames: Annotated[list[Frame], Meta(max_length=500)] = []


class Item(Struct, frozen=True):
    """An event, a measurement, an exception or a log: each has some of these."""

    timestamp: str = ""
    name: str = ""
    type: str = ""
    value: str = ""
    message: str = ""
    level: str = ""
    attributes: dict[str, Any] | None = None
    values: dict[str, float] | None = None
    context: dict[str, Any] | None = None
    stacktrace: Stack | None = None


class Named(Struct, frozen=True):
    id: str = ""
    name: str = ""
    version: str = ""
    release: str = ""
    environment: str = ""
    url: str = ""


class Browser(Struct, frozen=True, rename="camel"):
    viewport_width: int | str = ""
    viewport_height: int | str = ""


class K6(Struct, frozen=True):
    is_k6_browser: bool = msgspec.field(default=False, name="isK6Browser")


class Metadata(Struct, frozen=True):
    app: Named = Named()
    session: Named = Named()
    page: Named = Named()
    browser: Browser = Browser()
    k6: K6 = K6()


Items = Annotated[list[Item], Meta(max_length=1_000)]
"""The SDK sends 50 at a time."""


class Payload(Struct, frozen=True):
    """One message of the SDK, as far as it is read."""

    meta: Metadata = Metadata()
    events: Items = []
    measurements: Items = []
    exceptions: Items = []
    logs: Items = []


decode = msgspec.json.Decoder(Payload).decode
"""One message. Raises msgspec.DecodeError, and msgspec.ValidationError that names the field."""
