"""When an artifact of a run is recorded and kept, and what is hidden in it: a part of the settings, and of each plan."""

from pathlib import Path
from typing import Literal

from msgspec import Struct

Policy = Literal["off", "on", "retain-on-failure", "on-first-retry"]
POLICIES: tuple[Policy, ...] = ("off", "on", "retain-on-failure", "on-first-retry")


class ArtifactSettings(Struct, frozen=True, kw_only=True):
    """A policy for each kind of artifact, their size limit, and what is redacted in them."""

    trace: Policy = "retain-on-failure"
    screenshots: Policy = "retain-on-failure"
    video: Policy = "off"
    har: Policy = "off"
    console: Policy = "retain-on-failure"
    page_errors: Policy = "retain-on-failure"
    failed_requests: Policy = "retain-on-failure"
    aria: Policy = "retain-on-failure"
    replay: Policy = "retain-on-failure"
    artifact_limit: int = 200_000_000
    """Bytes of all artifacts of a run together."""
    redaction: bool = True
    redact: tuple[str, ...] = ()
    """Regular expressions for text to hide, beside the secrets."""
    secrets_dir: Path | None = None
    secrets_file: Path | None = None
