"""When an artifact is recorded, and when it is kept."""

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
