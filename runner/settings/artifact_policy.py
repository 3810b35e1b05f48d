"""When an artifact of a run is recorded and kept, and what is hidden in it: a part of the settings, and of each plan."""

from pathlib import Path

from msgspec import Struct, field

from runner.settings.artifact_kinds import Policy, default_policies


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
