"""The pictures of a smoke check in a page: those of steps that are not the same, inside the page, as far as there is room."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from reports.smoke.picture_file import NoPictures, read_pictures
from reports.smoke.result import JourneyCheck, PictureCheck, SmokeResult
from reports.text import smoke_text

ROOM = 12_000_000
"""Bytes of all pictures of a page."""
VIEWS = ("before", "after", "difference", "where")
STYLES = {"different": "poor", "undecided": "undecided", "same": "same", "not compared": "soft"}


class PictureView(Struct, frozen=True):
    """What the template needs of one step's pictures."""

    identity: str
    """Of its heading in the page."""
    step: str
    check: PictureCheck
    sentence: str
    style: str
    images: dict[str, str]
    """Their addresses, which hold the pictures themselves."""
    missing: str = ""
    """Why there are none, if there should be."""


class PictureViews:
    """Makes the views of one page, whose pictures share its room."""

    def __init__(self, result: SmokeResult) -> None:
        self._file = Path(result.pictures)
        self._baseline = result.baseline.name if result.baseline else "the baseline"
        self._left = ROOM
        self._count = 0

    def list_views(self, check: JourneyCheck) -> Iterator[PictureView]:
        """Those of one journey, what is not the same first."""
        pictured = [(step.name, step.picture) for step in check.steps if step.picture is not None]
        for name, picture in sorted(pictured, key=lambda one: list(STYLES).index(one[1].outcome)):
            self._count += 1
            images, missing = self._read(picture)
            yield PictureView(
                f"picture-{self._count}",
                name,
                picture,
                smoke_text.describe_picture(picture, self._baseline),
                STYLES[picture.outcome],
                images,
                missing,
            )

    def _read(self, picture: PictureCheck) -> tuple[dict[str, str], str]:
        names = {name: picture.files[name] for name in VIEWS if name in picture.files}
        if not names:
            return {}, ""
        try:
            contents = read_pictures(self._file, names)
        except NoPictures as error:
            return {}, f"The pictures are missing: {error}."
        size = sum(map(len, contents.values()))
        if size > self._left:
            return (
                {},
                f"There is no room left in this page for these pictures; `journey pictures diff` writes them from {self._file}.",
            )
        self._left -= size
        return {name: f"data:image/webp;base64,{b64encode(content).decode()}" for name, content in contents.items()}, ""
