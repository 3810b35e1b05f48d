"""When an artifact of a run is recorded and kept, and what is hidden in it: a part of the settings, and of each plan."""

from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from runner.settings.artifact_kinds import Policy, default_policies

PictureArea = Literal["viewport", "page"]
"""What is on a picture that is compared: what a visitor sees without scrolling, or the whole page."""


class ArtifactSettings(Struct, frozen=True, kw_only=True):
    """A policy for each kind of artifact, their size limit, and what is redacted in them."""

    artifact_policies: dict[str, Policy] = field(default_factory=default_policies)
    """By the kind's `option`; each is a setting of its own."""
    artifact_limit: int = 200_000_000
    """Bytes of all artifacts of a run together."""
    redaction: bool = True
    redact: tuple[str, ...] = ()
    """Regular expressions for text to hide, beside the secrets."""
    secrets_dir: Path | None = None
    secrets_file: Path | None = None
    picture_area: PictureArea = "viewport"
    picture_ignore: tuple[str, ...] = ()
    """Selectors of what is covered in pictures that are compared."""
    picture_folder: str = "pictures"
    """Of the pictures that `expect_picture` compares with; relative to the file of the journey or test."""
