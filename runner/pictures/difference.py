"""Where two pictures differ beyond what varies in either of them."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from runner.pictures.picture import Mask, Picture, enlarge
from runner.pictures.region import Region

LEVELS = 3
"""A channel that differs by more levels, of 255, is another colour."""
BLOCK = 8
"""Pixels. What varies is masked with the blocks around it: the next picture of a clock has other digits in the same place."""
LEAST = 4
"""Pixels of a region; fewer are not seen by anybody."""
MOST = 50
"""Regions that are listed, the largest first."""


class Difference(Struct, frozen=True):
    """The comparison of two pictures."""

    apart: NDArray[np.bool_]
    """The pixels that differ."""
    masked: NDArray[np.bool_]
    """The pixels that are not compared."""
    regions: tuple[Region, ...]
    count: int
    """Regions, also those that are not listed."""

    @property
    def share(self) -> float:
        """The differing pixels as a share of all."""
        return float(np.count_nonzero(self.apart)) / self.apart.size

    @property
    def masked_share(self) -> float:
        """The pixels that are not compared as a share of all."""
        return float(np.count_nonzero(self.masked)) / self.masked.size


def find_difference(before: Picture, after: Picture, levels: int = LEVELS, grow: bool = True) -> Difference:
    """Compares two pictures; what is beyond the edge of one of them differs.

    A colour differs if a channel does by more than `levels`. Without `grow`, exactly the pixels that vary are masked.
    """
    width, height = (max(pair) for pair in zip(before.size, after.size, strict=True))
    varies = enlarge(before.varies, height, width) | enlarge(after.varies, height, width)
    masked = _grow(varies) if grow else varies
    inside = [_inside(one, height, width) for one in (before, after)]
    first, second = (enlarge(one.pixels, height, width).astype(np.int16) for one in (before, after))
    apart: Mask = np.logical_or.reduce(np.abs(first - second) > levels, axis=2)
    apart = (apart | (inside[0] != inside[1])) & ~masked
    found = sorted(_find_regions(apart), key=lambda one: -one.pixels)
    kept = [one for one in found if one.pixels >= LEAST]
    if not kept:
        apart = np.zeros_like(apart)
    return Difference(apart, masked, tuple(kept[:MOST]), len(kept))


def _inside(picture: Picture, height: int, width: int) -> Mask:
    inside: Mask = enlarge(np.ones_like(picture.varies), height, width)
    return inside


def _blocks(mask: Mask) -> Mask:
    """For each block, whether any of its pixels is True."""
    height, width = (-(-length // BLOCK) for length in mask.shape)
    padded = enlarge(mask, height * BLOCK, width * BLOCK)
    blocks: Mask = np.logical_or.reduce(padded.reshape(height, BLOCK, width, BLOCK), axis=(1, 3))
    return blocks


def _spread(blocks: Mask) -> Mask:
    """The blocks and their eight neighbours."""
    padded = np.pad(blocks, 1)
    height, width = blocks.shape
    spread = np.zeros_like(blocks)
    for down in range(3):
        for right in range(3):
            spread |= padded[down : down + height, right : right + width]
    return spread


def _grow(varies: Mask) -> Mask:
    if not varies.any():
        return varies
    blocks = _spread(_blocks(varies))
    height, width = varies.shape
    grown: Mask = blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[:height, :width]
    return grown


def _find_regions(apart: Mask) -> Iterator[Region]:
    """The rectangles around what differs; what is less than about two blocks apart is one."""
    blocks = _blocks(apart)
    left = set(map(tuple, np.argwhere(_spread(blocks) if blocks.any() else blocks).tolist()))
    while left:
        waiting, members = [left.pop()], []
        while waiting:
            row, column = waiting.pop()
            members.append((row, column))
            around = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= around
            waiting += around
        top, bottom = (edge(row for row, _ in members) * BLOCK for edge in (min, max))
        start, end = (edge(column for _, column in members) * BLOCK for edge in (min, max))
        part = apart[top : bottom + BLOCK, start : end + BLOCK]
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        yield Region(
            x=int(start + columns[0]),
            y=int(top + rows[0]),
            width=int(columns[-1] - columns[0] + 1),
            height=int(rows[-1] - rows[0] + 1),
            pixels=int(np.count_nonzero(part)),
        )
