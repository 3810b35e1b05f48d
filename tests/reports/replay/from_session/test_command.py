"""`journey from-session`, as a newcomer would use it."""

import gzip
import json
import time
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from playwright.sync_api import Page, expect
from typer.testing import CliRunner, Result

from reports.replay import chunk
from reports.replay.chunk_store import FOLDER, ChunkContext, ChunkStore
from reports.replay.recording import Recording
from runner.browser.chromium import Browser
from runner.cli.all_commands import app
from runner.store import Store
from tests.reports.replay.from_session.tape import Tape, element, recording
from tests.reports.replay.from_session.visits import aside, record
from tests.support.thorough import thorough_but


def look(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Browse").click()
    expect(page.get_by_role("heading", name="Browse")).to_be_visible()


@pytest.fixture(scope="module")
def looked(chromium: Browser, shop: str) -> Recording:
    """A short visit to the shop."""
    return record(chromium, shop, look)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keep(session: Recording) -> str:
    """Stores a recording."""
    with Store(f"sqlite:///{Path('runs/journeys.db').absolute()}") as store:
        for tab in session.tabs:
            told = {
                "version": 1,
                "app": session.app,
                "session": session.session,
                "tab": str(uuid4()),
                "sequence": 0,
                "first": True,
            }
            body = msgspec.json.encode({**told, "events": tab.events})
            ChunkStore(store, Path("runs") / FOLDER).put(
                chunk.decode(body),
                gzip.compress(body),
                ChunkContext(app="shop", received_at=time.time(), traffic="real", page="/"),
            )
    return session.session


def journey(*words: str) -> Result:
    return aside(CliRunner().invoke, app, ["from-session", *words])


@pytest.mark.thorough
def test_a_session_is_written_and_tried_on_the_site_that_was_recorded(looked: Recording, shop: str) -> None:
    Path("journey.toml").write_text('base_url = "http://127.0.0.1:9"')
    result = journey(keep(looked), "--out", "journeys/look.py", "--json", "report.json")
    assert result.exit_code == 0, result.output
    report = json.loads(Path("report.json").read_text())["report"]
    assert report["trial"] == {
        "verdict": "verified",
        "statuses": ["passed"] * 3,
        "action": None,
        "step": None,
        "message": "",
        "folder": None,
    }
    written = Path("journeys/look.py").read_text()
    assert f'@journey(base_url="{shop}")\ndef look(page: Page, step: Step)' in written


@pytest.mark.thorough
def test_it_says_what_was_written_and_how_to_run_it(looked: Recording) -> None:
    result = journey(keep(looked), "--no-trial")
    assert result.exit_code == 0, result.output
    assert "wrote journeys/browse.py: 2 steps, 2 of 2 actions" in result.output
    assert result.output.endswith("not tried, as --no-trial says\nrun it: journey run browse\n")


@pytest.mark.long
def test_a_file_that_is_there_is_not_overwritten(looked: Recording) -> None:
    Path("mine.py").write_text("mine")
    result = journey(keep(looked), "--out", "mine.py")
    assert "mine.py exists and is not overwritten" in str(result.exception)
    assert Path("mine.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("mine.py", "a journey named 'mine' is declared at"),
        ("01a20fc0-aafa-7b1d-ac37-708720ccee0c.py", "says nothing about the journey"),
        ("a journey.py", "is not a name for a journey"),
    ],
)
def test_a_name_that_cannot_be_is_found_before_anything_is_made(out: str, said: str) -> None:
    Path("journeys").mkdir()
    Path("journeys/others.py").write_text("from runner import journey\n\n\n@journey\ndef mine(page): page.goto('/')\n")
    assert said in str(journey("a session that is not even looked for", "--out", out).exception)


def test_a_session_that_is_not_there_is_said() -> None:
    assert "no recording of session 'nobody'" in str(journey("nobody").exception)


@pytest.mark.parametrize(
    ("tape", "said"),
    [
        (Tape().event(4, {"href": "https://shop.example/"}).mouse(9), "no full snapshot"),
        (Tape().page("/", element(9, "p")), "only looked at pages"),
    ],
)
def test_a_session_that_no_journey_can_be_made_of_says_why(tape: Tape, said: str) -> None:
    Path("journey.toml").write_text("[[apps]]\nname = 'shop'\norigins = ['https://shop.example']\n")
    assert said in str(journey(keep(recording(tape))).exception)
    assert not Path("journeys").exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/admin",
        "https://shop.example.evil.example/",
        "https://evil.example\\\\@shop.example/",
        "https:shop.example",
    ],
)
@pytest.mark.parametrize("apps", thorough_but(1, ["[[apps]]\nname = 'shop'\norigins = ['https://shop.example']\n", ""]))
def test_a_recording_that_claims_a_page_of_another_site_becomes_no_journey(address: str, apps: str) -> None:
    if not apps and address.startswith("http://127."):
        # Without apps, pages of this machine may report.
        address = "http://192.0.2.1/admin"
    Path("journey.toml").write_text(apps)
    tape = Tape().page("https://shop.example/" if apps else "http://localhost/", element(9, "button")).click(9).page("/")
    tape.events[-2]["data"]["href"] = address
    said = str(journey(keep(recording(tape)), "--no-trial").exception)
    assert "is not at an origin of app 'shop'" in said
    assert not Path("journeys").exists()
