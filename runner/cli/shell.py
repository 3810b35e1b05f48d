"""What Typer's `--install-completion` leaves to be desired."""

from pathlib import Path

COMPLETE_AT_ONCE = """
# zsh runs this file at the first TAB, to learn the function; without this line that TAB would complete nothing.
if [[ "${funcstack[1]}" == "_journey" ]]; then _journey_completion "$@"; fi
"""


def mend() -> None:
    """Has the file that Typer writes for zsh complete from the first TAB of a session on, not from the second."""
    file = Path.home() / ".zfunc" / "_journey"
    if file.is_file() and COMPLETE_AT_ONCE not in file.read_text(encoding="utf-8"):
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{COMPLETE_AT_ONCE}")
