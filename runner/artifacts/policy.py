"""When an artifact is recorded, when it is kept, and under which name."""

import re

from runner.settings.artifact_kinds import Policy


def is_recorded(policy: Policy, attempt: int) -> bool:
    """Whether to record in this attempt, counted from 1."""
    return policy in {"on", "retain-on-failure"} or (policy == "on-first-retry" and attempt == 2)


def is_kept(policy: Policy, attempt: int, passed: bool) -> bool:
    """Whether to keep what this attempt recorded."""
    return is_recorded(policy, attempt) and not (policy == "retain-on-failure" and passed)


def number_file(stem: str, suffix: str, attempt: int, last: bool) -> str:
    """The file's name: plain for the last attempt, with the attempt's number for one that was retried."""
    return f"{stem}{suffix}" if last else f"{stem}-attempt-{attempt}{suffix}"


def slug(name: str) -> str:
    """A step's name as a file name: letters, digits, `-` and `_`, at most 80 characters and 160 bytes."""
    stem = re.sub(r"[^\w-]+", "-", name).strip("-")[:80]
    # A file system allows 255 bytes, which have to hold a suffix as well.
    return stem.encode()[:160].decode(errors="ignore") or "step"
