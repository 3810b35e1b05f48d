"""Fixes what Typer's `--install-completion` lacks."""

from pathlib import Path

COMPLETE_AT_ONCE = """
# zsh runs this file at the first TAB, to learn the function; without this line that TAB would complete nothing.
if [[ "${funcstack[1]}" == "_journey" ]]; then _journey_completion "$@"; fi
"""


def fix_zsh_completion() -> None:
    """Changes the file that Typer writes for zsh, so that it completes from the first TAB of a session, not from the second."""
    file = Path.home() / ".zfunc" / "_journey"
    if file.is_file() and COMPLETE_AT_ONCE not in file.read_text(encoding="utf-8"):
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{COMPLETE_AT_ONCE}")
