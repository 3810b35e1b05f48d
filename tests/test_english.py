"""Texts are plain technical English: the turns of phrase that CONTRIBUTING.md lists are not used."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs")
"""What is searched. `python -m tests.test_english runner reports` counts elsewhere; put a folder here once that finds nothing."""
GENERATED = {ROOT / "docs" / "commands.md"}
"""Written from the help of the commands, so its texts are those of `runner`."""
SUFFIXES = {".md", ".py", ".html", ".js", ".txt", ".toml", ".yml", ".yaml", ".service", ""}


def table() -> str:
    """The table of CONTRIBUTING.md."""
    return (ROOT / "CONTRIBUTING.md").read_text().partition("| not | but |")[2]


def idioms() -> dict[str, re.Pattern[str]]:
    """Each turn of phrase with the expression that finds it. `there is no …` is good English."""
    found = {}
    for row in table().splitlines():
        for idiom in re.findall(r"`([^`]+)`", row.split("|")[1] if row.startswith("| `") else ""):
            words = r"\s+".join(r"(?!longer\b|more\b)\w+" if word == "…" else re.escape(word) for word in idiom.split())
            flags = 0 if idiom[0].isupper() else re.IGNORECASE
            found[idiom] = re.compile(rf"(?<![Tt]here )(?<!`)\b{words}\b", flags)
    return found


def texts(roots: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Every file below the roots that people read, and what is in it."""
    for root in roots:
        files = [ROOT / root] if (ROOT / root).is_file() else sorted((ROOT / root).rglob("*"))
        for file in files:
            if file.is_file() and file.suffix in SUFFIXES and file not in GENERATED and "node_modules" not in file.parts:
                text = file.read_text(errors="ignore")
                yield file, text.replace(table(), "") if file.name == "CONTRIBUTING.md" else without_output(text)


def without_output(text: str) -> str:
    """The text with empty lines in place of what programs print, which is theirs to word."""
    blocks = re.compile(r"^```(?:console)?\n.*?^```$", re.DOTALL | re.MULTILINE)
    return blocks.sub(lambda block: "\n" * block[0].count("\n"), text)


def findings(roots: Iterable[str]) -> list[str]:
    """File, line and turn of phrase."""
    return [
        f"{file.relative_to(ROOT)}:{text.count(chr(10), 0, hit.start()) + 1}: {' '.join(hit[0].split())}"
        for file, text in texts(roots)
        for pattern in idioms().values()
        for hit in pattern.finditer(text)
    ]


def test_the_table_is_read() -> None:
    assert len(idioms()) > 30
    assert idioms()["is no …"].search("This is no setting")
    assert not idioms()["is no …"].search("There is no setting, and it is no longer read")


def test_no_listed_turn_of_phrase_is_used() -> None:
    assert findings(ROOTS) == []


if __name__ == "__main__":
    lines = findings(sys.argv[1:])
    print(*lines, f"{len(lines)} in {len({line.partition(':')[0] for line in lines})} files", sep="\n")
