"""Texts are plain technical English: the turns of phrase that CONTRIBUTING.md lists are not used."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "runner", "reports", "journeys", "benchmarks")
"""What is searched. `python -m tests.test_english tests` lists what is found elsewhere."""
GENERATED = {
    file
    for pattern in (
        "docs/commands.md",
        "runner/page/*.js",
        "reports/collector/*.js",
        "reports/web/static/*.js",
        "reports/codegen/*.js",
    )
    for file in ROOT.glob(pattern)
}
"""Written from the help of the commands, or bundled from scripts, which are searched."""
WORDS = {"…": r"(?!longer\b|more\b|None\b)\w+", "none": "(?-i:none)(?! %})", "all": "(?-i:[Aa]ll)"}
"""Expressions for some words of the table: any word; English, not Python or Jinja."""
ALLOWED_BEFORE = re.compile(r"(`|\b(there|as|how|too) )$", re.IGNORECASE)
"""`there is no …`, `as much of …` and `too much of …` are good English; what is quoted as code is not English."""
IN_SCRIPTS = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL)
"""Comments and strings of JavaScript."""
IN_PYTHON = re.compile(
    r"""#[^\n]*|\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
)
"""Comments and strings of Python: an expression finds them ten times as fast as the module `tokenize`."""
CODE = re.compile(r"[^\n]+")
SUFFIXES = {".md", ".py", ".html", ".js", ".txt", ".toml", ".yml", ".yaml", ".service", ""}


def table() -> str:
    """The table of CONTRIBUTING.md."""
    return (ROOT / "CONTRIBUTING.md").read_text().partition("| not | but |")[2]


@cache
def idioms() -> dict[str, re.Pattern[str]]:
    """Each turn of phrase with the expression that finds it."""
    found = {}
    for row in table().splitlines():
        for idiom in re.findall(r"`([^`]+)`", row.split("|")[1] if row.startswith("| `") else ""):
            words = r"\s+".join(WORDS.get(word, re.escape(word)) for word in idiom.split())
            flags = 0 if idiom[0].isupper() else re.IGNORECASE
            found[idiom] = re.compile(rf"\b{words}\b", flags)
    return found


def texts(roots: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Every file below the roots that people read, and what is in it."""
    for root in roots:
        for file in [ROOT / root] if (ROOT / root).is_file() else files_below(ROOT / root):
            if file.suffix in SUFFIXES and file not in GENERATED:
                text = file.read_text(errors="ignore")
                if file.suffix in {".py", ".js"}:
                    yield file, without_code(text, file.suffix)
                else:
                    yield file, text.replace(table(), "") if file.name == "CONTRIBUTING.md" else without_output(text)


def files_below(folder: Path) -> Iterator[Path]:
    """The files in a folder and its subfolders, except for installed packages of npm."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - {"node_modules", "__pycache__"})
        yield from (Path(parent, name) for name in sorted(files))


def without_code(text: str, suffix: str) -> str:
    """Comments and strings, each where it is; a name in code is not English."""
    kept = [hit.span() for hit in (IN_SCRIPTS if suffix == ".js" else IN_PYTHON).finditer(text)]
    ends = [0, *(end for _, end in kept)]
    between = [text[before:start] for before, (start, _) in zip(ends, kept, strict=False)]
    return "".join(f"{CODE.sub(' ', code)}{text[start:end]}" for code, (start, end) in zip(between, kept, strict=True))


def without_output(text: str) -> str:
    """The text with empty lines in place of what programs print, which is theirs to word."""
    blocks = re.compile(r"^```(?:console)?\n.*?^```$", re.DOTALL | re.MULTILINE)
    return blocks.sub(lambda block: "\n" * block[0].count("\n"), text)


def findings(roots: Iterable[str]) -> list[str]:
    """File, line and turn of phrase."""
    return [
        f"{file.relative_to(ROOT)}:{text.count(chr(10), 0, hit.start()) + 1}: {' '.join(hit[0].split())}"
        for file, text in texts(roots)
        for hit in hits(text)
    ]


def hits(text: str) -> Iterator[re.Match[str]]:
    """Where a text has a listed turn of phrase."""
    lower = text.lower()
    for idiom, pattern in idioms().items():
        # An expression is much slower than a search for its words.
        if not all(word in WORDS or word.lower() in lower for word in idiom.split()):
            continue
        for hit in pattern.finditer(text):
            if not ALLOWED_BEFORE.search(text, max(hit.start() - 6, 0), hit.start()):
                yield hit


def test_the_table_is_read() -> None:
    assert len(idioms()) > 30


def test_good_english_is_not_found() -> None:
    assert [hit[0] for hit in hits("This is no setting, it is none")] == ["is none", "is no setting"]
    assert list(hits("There is no setting, it is no longer read; `is None` is None; too much of it; as much of it")) == []


def test_code_is_not_read_as_english() -> None:
    assert without_code('told = 1\nsay("is told")  # anew\n', ".py").split("\n") == [" ", ' "is told" # anew']
    assert without_code("told();\nsay('is no'); /* of\nitself */ told", ".js").split("\n") == [
        " ",
        " 'is no' /* of",
        "itself */",
    ]


@pytest.mark.long
def test_no_listed_turn_of_phrase_is_used() -> None:
    assert findings(ROOTS) == []


if __name__ == "__main__":
    lines = findings(sys.argv[1:])
    print(*lines, f"{len(lines)} in {len({line.partition(':')[0] for line in lines})} files", sep="\n")
