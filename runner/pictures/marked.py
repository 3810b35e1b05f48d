"""A picture on which is marked what differs from another."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from runner.pictures.difference import Difference
from runner.pictures.picture import Picture, enlarge

DIFFERS = (214, 0, 132)
MASKED = (92, 122, 148)
"""Colours of what differs, and of what is not compared."""


def mark_difference(picture: Picture, difference: Difference) -> Any:
    """The picture pale, with what differs in one colour and what is not compared striped in another, as an image of Pillow's."""
    height, width = difference.masked.shape
    grey = enlarge(picture.pixels, height, width).astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
    pale = np.repeat((grey * 0.35 + 160)[:, :, None], 3, axis=2).clip(0, 255).astype(np.uint8)
    stripes = (np.add.outer(np.arange(height), np.arange(width)) // 4) % 2 == 0
    pale[difference.masked & stripes] = MASKED
    pale[difference.apart] = DIFFERS
    return Image.fromarray(pale)


def outline_regions(marked: Any, difference: Difference) -> Any:
    """A copy with a frame around each region."""
    image = marked.copy()
    draw = ImageDraw.Draw(image)
    for one in difference.regions:
        draw.rectangle((one.x - 5, one.y - 5, one.x + one.width + 4, one.y + one.height + 4), outline=DIFFERS, width=4)
    return image
