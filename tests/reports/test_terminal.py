"""What a terminal shows in 80 columns: statuses, line numbers, and what was there in place of a missing element."""

from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from reports.terminal.progress import format_end
from reports.terminal.run_detail import render_run
from reports.terminal.run_table import render_runs
from reports.text.missing_element import describe_missing
from runner.archive.archive import Saved
from runner.cli.authoring.listing import make_table
from runner.dsl.discovery import load_journeys
from runner.events import RunEnded
from runner.result import Artifact, Failure
from tests.reports.samples import run

CLICK = (
    "Locator.click: Timeout 2000ms exceeded.\nCall log:\n"
    '  - waiting for get_by_role("link", name="Hello world!")\n  - waiting for navigation'
)
TREE = """# https://blog.example/
- banner:
  - link "My blog":
    - /url: /
  - link "Hello, world"
  - link "Sample Page"
  - 'link "a: colon"'
  - button "Search"
"""


def failure(message: str = CLICK) -> Failure:
    return Failure(kind="timeout", message=message, step="read the post", file="/repo/journeys/blog.py", line=9, code="click()")


def shown(what: object, width: int = 80) -> str:
    console = Console(width=width, file=StringIO(), record=True)
    console.print(what)
    return console.export_text()


@pytest.mark.parametrize(
    ("message", "tree", "sentence"),
    [
        (CLICK, TREE, "no link “Hello world!”; the links there: “Hello, world”, “My blog”, “Sample Page”, “a: colon”"),
        (CLICK, "", "no link “Hello world!”"),
        (CLICK, '- button "Search"', "no link “Hello world!”; there are no links on the page"),
        (CLICK, '- link "Hello world!"', ""),
        (CLICK, '- heading "Hello world!" [level=2]', "no link “Hello world!”, but there is a heading of this name"),
        (CLICK.replace("waiting for navigation", "locator resolved to <a>"), TREE, ""),
        (
            'Locator.click: Error: strict mode violation: get_by_role("link", name="Account") resolved to 2 elements:\n    1) <a>…</a>',
            "",
            '2 elements match get_by_role("link", name="Account"); name one of them, as its suggestions do',
        ),
        (
            'Locator expected to be visible\n  23 × locator resolved to <h2 id="menu">↵  Menu↵</h2>\n     - unexpected value "hidden"',
            "",
            '<h2 id="menu"> Menu </h2> is in the page, but hidden',
        ),
        (
            "Locator.click: Timeout 3000ms exceeded.\n  - locator resolved to <button disabled>Pay</button>\n  - element is not enabled",
            "",
            "<button disabled>Pay</button> is in the page, but disabled",
        ),
        (CLICK.replace('role("link", name=', "text("), TREE, "no text “Hello world!”"),
        (
            'Expected to be visible\nCall log:\n - with timeout 300ms\n - waiting for get_by_label("Emial")',
            '- textbox "Email"\n- heading "Shop"',
            "no field with the label “Emial”; the fields there: “Email”",
        ),
        (
            f'{CLICK}\n    - <div class="shade"></div> intercepts pointer events',
            TREE,
            'it is covered by <div class="shade"></div>',
        ),
        ("Page.goto: net::ERR_CONNECTION_REFUSED", TREE, ""),
        ("expected 3 teas, not 2", TREE, ""),
    ],
)
def test_a_missing_element_is_said_in_one_sentence(message: str, tree: str, sentence: str) -> None:
    assert describe_missing(failure(message), tree) == sentence


def test_many_others_are_counted_and_long_names_cut() -> None:
    tree = "\n".join(f'- link "{"x" * 100} {number}"' for number in range(50))
    sentence = describe_missing(failure(), tree)
    assert len(sentence) < 400
    assert sentence.endswith("and 44 more")


def failed(folder: Path) -> Saved:
    """A failed run with six artifacts."""
    (folder / "aria").mkdir(parents=True)
    (folder / "aria" / "read-the-post.yaml").write_text(TREE)
    kinds = ("trace", "console", "network", "screenshot", "screenshot")
    artifacts = [Artifact(kind=kind, path=f"{number}-{kind}.zip", bytes=9) for number, kind in enumerate(kinds)]
    artifacts.append(Artifact(kind="aria", path="aria/read-the-post.yaml", bytes=9, step="read the post"))
    return run("failed", folder=folder, failure=failure(), artifacts=tuple(artifacts))


def test_a_failure_leads_with_the_sentence_and_names_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved = failed(tmp_path / "runs" / "blog" / "x")
    text = format_end(RunEnded(result=saved.result, folder=saved.folder)).plain
    lines = [line.strip() for line in text.splitlines()]
    assert lines[1].startswith("in step 'read the post': no link “Hello world!”; the links there: “Hello, world”,")
    assert lines[2] == "Locator.click: Timeout 2000ms exceeded."
    assert "trace, console, network, 2 × screenshot, aria in runs/blog/x" in lines
    assert text.count("runs/blog/x") == 1
    detail = shown(render_run(saved), 200)
    assert detail.count(str(saved.folder)) == 1
    assert "no link “Hello world!”; the links there" in detail


@pytest.mark.parametrize("width", [80, 120])
def test_a_list_of_runs_never_shrinks_a_status(width: int) -> None:
    long = run("failed", failure=replace(failure(), step="look for the newest post of the whole month"))
    result = replace(long.result, journey="a-journey-with-a-rather-long-name")
    flaky = replace(result, status="passed", attempts=2, failure=None)
    table = shown(render_runs([replace(long, result=result), replace(long, result=flaky)], width), width)
    lines = table.rstrip().splitlines()
    assert len(lines) == 3, "one row per run"
    assert "✗ failed" in lines[1]
    assert "✓ passed at attempt 2 (flaky)" in lines[2]
    assert result.id[:13] in lines[1]
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_list_of_journeys_keeps_its_line_numbers_and_every_column_that_can_be_read(tmp_path: Path, width: int) -> None:
    name = "search-and-recent-changes-of-the-tea-wiki-for-readers-who-are-not-signed-in"
    file = tmp_path / "search_and_recent_changes.py"
    code = f"from runner import journey\n\n\n@journey(name={name!r}, every='90m')\ndef search(page):\n    'A reader.'\n    page.goto('/')\n"
    heading, row = shown(make_table(load_journeys(file, code), width), width).rstrip().splitlines()
    assert "changes.py:4" in row
    assert "90m" in row
    assert row.startswith(name[:15])
    assert ("A reader." in row, "description" in heading) == ((True, True) if width >= 120 else (False, False))
