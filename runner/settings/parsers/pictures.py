"""Parsers of settings of pictures.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re

from runner.settings.artifact_policy import PictureArea


def parse_picture_area(value: object) -> PictureArea:
    """What is on a picture."""
    if value == "viewport":
        return "viewport"
    if value == "page":
        return "page"
    raise ValueError(f"{value!r} is not valid; choose one of viewport, page")


def parse_selectors(value: object) -> tuple[str, ...]:
    """Selectors of elements: a list, or the text of one."""
    selectors = [value] if isinstance(value, str) else value
    if isinstance(selectors, list | tuple) and all(isinstance(one, str) and one.strip() for one in selectors):
        return tuple(selectors)
    raise ValueError(f"{value!r} is not a list of selectors; write one such as ['.advertisement', '#build']")


def parse_picture_folder(value: object) -> str:
    """The name or relative path of a folder."""
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{value!r} is not a folder; write a name such as 'pictures'")


def parse_share(value: object) -> float:
    """A part of a whole: a number from 0 to 1, or a percentage.

    >>> parse_share("0.5 %"), parse_share(0.02), parse_share(0)
    (0.005, 0.02, 0.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", str(value)) if not isinstance(value, bool) else None
    share = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"{value!r} is not a share; write a percentage such as '0.5%', or a number from 0 to 1")
    return share
