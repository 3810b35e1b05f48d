"""Whether Chromium's sandbox can be on: it needs a user other than root, and a kernel that gives that user namespaces.

Chromium itself is asked: it is started with its sandbox, and without one after it has refused. A refusal is remembered for a day, for
this machine, this user and this program, so that no other start pays for it; whatever may lift it makes it be asked again.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from runner.browser.environment import browser_environment, find_cache
from runner.untrusted_text import tamed

ROOT = "Chromium has no sandbox when it runs as root: run as another user"
KERNEL = "the kernel or the container forbids this user what the sandbox is built of: docs/security.md lists what it needs"
ON = "on"
REFUSALS = (
    *("No usable sandbox", "Chromium sandboxing failed", "Failed to move to new namespace", "crbug.com/638180", "357670"),
    # The namespaces are there, and a filter of system calls forbids what is done in them: Docker's and Podman's own, without capabilities.
    *("Check failed: sys_chroot", "Check failed: NamespaceUtils"),
)
"""What Chromium, or Playwright in its place, says when only the sandbox is missing."""
REMEMBERED = 86_400.0
"""Seconds that a refusal is remembered."""
_HELPER = "chrome-sandbox"
"""Chromium's setuid program, which replaces user namespaces where it is installed."""
_SWITCHES = (
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/user/max_user_namespaces",
)
Started = TypeVar("Started")
_refused: set[str] = set()
"""Conditions under which Chromium has refused in this process; also where nothing can be written to the cache."""


def find_reason_off(program: Path) -> str:
    """Why the sandbox of this Chromium is off; empty if nothing is known to keep it from being on. Takes no time to speak of."""
    if sys.platform != "linux":
        return ""
    if os.geteuid() == 0:
        return ROOT
    conditions = _conditions(program)
    return KERNEL if conditions in _refused or _is_remembered(_file(conditions)) else ""


def describe_sandbox(program: Path) -> str:
    """`on`, or `off: …` with the reason, for a result."""
    reason = find_reason_off(program)
    return f"off: {reason}" if reason else ON


def start_sandboxed(program: Path, start: Callable[[bool], Started]) -> tuple[Started, str]:
    """Calls `start`, which starts this Chromium, with whether its sandbox is to be on; once more without, if Chromium refuses.

    Returns what was started, and the state of the sandbox as `describe_sandbox` does. Raises what `start` raises.
    """
    sandboxed = not find_reason_off(program)
    try:
        return start(sandboxed), describe_sandbox(program)
    except Exception as error:
        if not sandboxed or not is_refusal(str(error)):
            raise
    remember_refusal(program)
    return start(False), describe_sandbox(program)


def is_refusal(said: str) -> bool:
    """Whether this is how a Chromium ends that cannot start its sandbox."""
    return any(one in said for one in REFUSALS)


def remember_refusal(program: Path) -> None:
    """From now on, and in other processes for a day, this Chromium is started without its sandbox."""
    conditions = _conditions(program)
    _refused.add(conditions)
    file = _file(conditions)
    if file is None:
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()
    except OSError:
        # A home that cannot be written, as in a container: each process asks once.
        return


def check_sandbox(program: Path) -> str:
    """Starts this Chromium with its sandbox, whatever is remembered; returns why it is off or not known, empty if it is on."""
    conditions = _conditions(program)
    _refused.discard(conditions)
    file = _file(conditions)
    if file is not None:
        file.unlink(missing_ok=True)
    if not find_reason_off(program):
        with TemporaryDirectory(prefix="journey-") as profile:
            command = [str(program), "--headless", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom", "about:blank"]
            try:
                ended = subprocess.run(
                    command, env=browser_environment(os.environ), capture_output=True, timeout=30, check=False
                )
            except (OSError, subprocess.TimeoutExpired):
                # It is asked again when a journey starts it, which reports what is wrong.
                return "not known: Chromium could not be started"
        said = ended.stderr.decode(errors="replace")
        if ended.returncode != 0 and not is_refusal(said):
            return f"not known: Chromium ended with {ended.returncode}: {tamed(_last_line(said), 200)}"
        if ended.returncode != 0:
            remember_refusal(program)
    return find_reason_off(program)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing was said")


def _conditions(program: Path) -> str:
    """Everything on which it depends whether the sandbox can start; a change of any of it makes Chromium be asked again."""
    parts = [str(os.geteuid()), str(program), *(_stamp(one) for one in (program, program.with_name(_HELPER)))]
    parts += [_read_text(Path(switch)) for switch in _SWITCHES]
    limits = ("Seccomp", "NoNewPrivs", "Cap")
    parts += [line for line in _read_text(Path("/proc/self/status")).splitlines() if line.startswith(limits)]
    return "\n".join(parts)


def _stamp(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_mode} {found.st_uid}"


def _read_text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        # A switch that this kernel does not have.
        return ""


def _file(conditions: str) -> Path | None:
    """Its existence is what is remembered."""
    cache = find_cache(os.environ)
    return None if cache is None else cache / f"no-sandbox-{hashlib.sha256(conditions.encode()).hexdigest()[:16]}"


def _is_remembered(file: Path | None) -> bool:
    if file is None:
        return False
    try:
        return 0 <= time.time() - file.stat().st_mtime < REMEMBERED
    except OSError:
        return False
