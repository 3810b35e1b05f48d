"""What a report shows of a difference: the part of the page that differs, before and after, and where on the page it is.

They are made when the check ends, so that a report needs no package for pictures, and are small enough for one page to hold them.
"""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from runner.pictures.difference import Difference
from runner.pictures.picture import Picture, enlarge

MARGIN = 60
"""Pixels of the page that are shown around what differs."""
LEAST_WIDTH, LEAST_HEIGHT = 480, 270
LARGEST = 300_000
"""Bytes of one view; a larger one is shown in less detail."""
LONGEST = 8_000
"""Pixels of a view's side."""
OVERVIEW = 480
"""Pixels of the width of the whole page."""
DIFFERS = (214, 0, 132)
MASKED = (92, 122, 148)
"""Colours of what differs, and of what is not compared."""


def make_views(before: Picture, after: Picture, difference: Difference) -> dict[str, bytes]:
    """`before` and `after`: the part that differs; `difference`: the same, marked; `where`: the whole page, marked. All WebP."""
    height, width = difference.apart.shape
    first, second = (enlarge(one.pixels, height, width) for one in (before, after))
    marked = _mark(second, difference)
    box = _find_box(difference)
    views = {name: encode_view(_crop(pixels, box)) for name, pixels in (("before", first), ("after", second))}
    whole = _outline(marked, difference)
    scale = min(1.0, OVERVIEW / width)
    small = whole.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX)
    return views | {"difference": encode_view(_crop(marked, box)), "where": encode_view(small)}


def encode_view(image: Any) -> bytes:
    """An image as WebP of at most LARGEST bytes."""
    scale = min(1.0, LONGEST / max(image.size))
    for lossless in (True, False, False, False, False, False, False):
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        shown = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
        written = io.BytesIO()
        shown.save(written, "WEBP", lossless=lossless, quality=80, method=2)
        if len(written.getvalue()) <= LARGEST:
            break
        scale *= 1.0 if lossless else 0.6
    return written.getvalue()


def _find_box(difference: Difference) -> tuple[int, int, int, int]:
    """The part of the page that is shown: left, top, right, bottom; all of it where nothing differs."""
    height, width = difference.apart.shape
    if not difference.regions:
        return 0, 0, width, height
    left = min(one.x for one in difference.regions) - MARGIN
    top = min(one.y for one in difference.regions) - MARGIN
    right = max(one.x + one.width for one in difference.regions) + MARGIN
    bottom = max(one.y + one.height for one in difference.regions) + MARGIN
    left, right = _widen(left, right, LEAST_WIDTH, width)
    top, bottom = _widen(top, bottom, LEAST_HEIGHT, height)
    return left, top, right, bottom


def _widen(start: int, end: int, least: int, most: int) -> tuple[int, int]:
    """A span of at least so many pixels, as far as there are so many.

    >>> _widen(-10, 50, 100, 1000), _widen(950, 1100, 100, 1000), _widen(0, 10, 100, 40)
    ((0, 100), (900, 1000), (0, 40))
    """
    start, end = max(0, start), min(most, end)
    missing = max(0, least - (end - start))
    start = max(0, start - missing // 2)
    end = min(most, max(end, start + least))
    return max(0, min(start, end - least)), end


def _crop(pixels: Any, box: tuple[int, int, int, int]) -> Any:
    left, top, right, bottom = box
    return Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))


def _mark(pixels: Any, difference: Difference) -> Any:
    """The page pale, with what differs in one colour and what is not compared striped in another."""
    grey = pixels.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
    pale = np.repeat((grey * 0.35 + 160)[:, :, None], 3, axis=2).clip(0, 255).astype(np.uint8)
    height, width = difference.masked.shape
    stripes = (np.add.outer(np.arange(height), np.arange(width)) // 4) % 2 == 0
    pale[difference.masked & stripes] = MASKED
    pale[difference.apart] = DIFFERS
    return pale


def _outline(marked: Any, difference: Difference) -> Any:
    image = Image.fromarray(marked)
    draw = ImageDraw.Draw(image)
    for one in difference.regions:
        draw.rectangle((one.x - 5, one.y - 5, one.x + one.width + 4, one.y + one.height + 4), outline=DIFFERS, width=4)
    return image
