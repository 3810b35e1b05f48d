"""What several pictures of one page have in common: its pixels, and where they vary.

As a file it is a PNG that is transparent where the pictures vary, so that anybody can see what is not compared, and can erase
more of it with any program for pictures.
"""

import io
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NOISE = 2
"""Levels, of 255, within which a channel is taken to be the same in two pictures of one page."""
LARGEST = 100_000_000
"""Pixels of a picture; a longer page is not compared."""
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class UnreadablePicture(ValueError):
    """A file is not a picture, or it is too large. Says what is wrong with it."""


class Picture:
    """One page, from one picture of it or more."""

    def __init__(self, pixels: Pixels, varies: Mask, count: int = 1) -> None:
        """`pixels` has the channels red, green, blue; `varies` is True where the pictures are not alike."""
        self.pixels = pixels
        self.varies = varies
        self.count = count

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.varies.shape
        return int(width), int(height)

    def encode(self) -> bytes:
        """The PNG."""
        alpha = np.where(self.varies, 0, 255).astype(np.uint8)
        return encode_png(Image.fromarray(np.dstack([self.pixels, alpha])))


def encode_png(image: Any) -> bytes:
    """A PNG of an image of Pillow's."""
    written = io.BytesIO()
    image.save(written, "PNG", compress_level=6)
    return written.getvalue()


def decode_picture(content: bytes, count: int = 1) -> Picture:
    """A PNG as `Picture.encode` writes it, or any other picture; what is not opaque is not compared. Raises UnreadablePicture."""
    rgba = _decode(content)
    return Picture(rgba[:, :, :3].copy(), rgba[:, :, 3] < 255, count)


def stack_pictures(contents: Iterable[bytes]) -> Picture:
    """What pictures of one page have in common; they are read one by one. Raises UnreadablePicture, also for none.

    What is beyond the edge of one of them varies, if another has something there.
    """
    low: Pixels | None = None
    high = shown = low
    count = 0
    for content in contents:
        taken = _decode(content)
        count += 1
        if low is None or high is None or shown is None:
            low, high, shown = taken.copy(), taken.copy(), taken
            continue
        size = (max(low.shape[0], taken.shape[0]), max(low.shape[1], taken.shape[1]))
        low, high, shown, taken = (enlarge(one, *size) for one in (low, high, shown, taken))
        np.minimum(low, taken, out=low)
        np.maximum(high, taken, out=high)
    if low is None or high is None or shown is None:
        raise UnreadablePicture("there is no picture")
    # Alpha is 0 beyond the edge of a picture, and 255 inside.
    varies: Mask = np.logical_or.reduce((high - low) > NOISE, axis=2)
    return Picture(shown[:, :, :3].copy(), varies, count)


def enlarge(array: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """The array with zeros below it and beside it."""
    if array.shape[:2] == (height, width):
        return array
    larger = np.zeros((height, width, *array.shape[2:]), array.dtype)
    larger[: array.shape[0], : array.shape[1]] = array
    return larger


def _decode(content: bytes) -> Pixels:
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            if width * height > LARGEST:
                raise UnreadablePicture(f"it has {width} × {height} pixels, more than {LARGEST // 1_000_000} million")
            return np.array(image.convert("RGBA"), dtype=np.uint8)
    except UnreadablePicture:
        raise
    # What Pillow raises depends on where the file is damaged.
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError) as error:
        raise UnreadablePicture(f"it is not a picture: {error}") from error


def read_picture(file: Path) -> Picture:
    """The picture in a file. Raises UnreadablePicture, OSError."""
    return decode_picture(file.read_bytes())
