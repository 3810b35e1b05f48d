"""What a report shows of a difference: the part of the page that differs, before and after, and where on the page it is.

They are made when the check ends, so that a report needs no package for pictures, and are small enough for one page to hold them.
"""

import io
from typing import Any

import numpy as np
from PIL import Image

from runner.pictures.difference import Difference
from runner.pictures.marked import mark_difference, outline_regions
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


def make_views(before: Picture, after: Picture, difference: Difference) -> dict[str, bytes]:
    """`before` and `after`: the part that differs; `difference`: the same, marked; `where`: the whole page, marked. All WebP."""
    height, width = difference.apart.shape
    first, second = (enlarge(one.pixels, height, width) for one in (before, after))
    marked = mark_difference(after, difference)
    box = _find_box(difference)
    views = {name: encode_view(_crop(pixels, box)) for name, pixels in (("before", first), ("after", second))}
    whole = outline_regions(marked, difference)
    scale = min(1.0, OVERVIEW / width)
    small = whole.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX)
    return views | {"difference": encode_view(marked.crop(box)), "where": encode_view(small)}


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
    return Image.fromarray(np.ascontiguousarray(pixels)).crop(box)
