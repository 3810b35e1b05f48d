"""Where a folder's code is hosted, as far as it tells."""

import re
import shutil
import subprocess
from pathlib import Path

HOSTS = ("github", "gitlab")
MARKS = {"github": ".github", "gitlab": ".gitlab-ci.yml"}


def hosts(folder: Path) -> tuple[str, ...]:
    """`github` and `gitlab`, by the files in `folder` and by the remotes of its repository; both when nothing tells."""
    remotes = re.findall(r"(?:@|://)([^/:@\s]+)[/:]", _git(folder, "config", "--get-regexp", r"^remote\..*\.url$"))
    found = tuple(one for one in HOSTS if (folder / MARKS[one]).exists() or any(one in remote for remote in remotes))
    return found or HOSTS


def top(folder: Path) -> Path | None:
    """The top of the repository that `folder` is in; None outside of one."""
    said = _git(folder, "rev-parse", "--show-toplevel").strip()
    return Path(said) if said else None


def _git(folder: Path, *words: str) -> str:
    """What git says; nothing where there is no git, or no repository."""
    existing = next(one for one in (folder, *folder.parents) if one.is_dir())
    if shutil.which("git") is None:
        return ""
    return subprocess.run(["git", "-C", existing, *words], capture_output=True, text=True, check=False).stdout
