"""Where two pictures differ, as a value that results hold."""

from msgspec import Struct


class Region(Struct, frozen=True, kw_only=True):
    """A rectangle in which two pictures differ, in pixels from the upper left corner."""

    x: int
    y: int
    width: int
    height: int
    pixels: int
    """That differ."""
