"""A trial without `--yes` stops before it changes something on the live page, whatever the recording calls the element."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reports.codegen import make_untried
from reports.codegen.verify import guard_source, verify_journey
from runner.browser.chromium import Browser
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from tests.reports.replay.from_session.tape import Tape, element, recording, text
from tests.reports.replay.from_session.visits import aside

pytestmark = pytest.mark.thorough


@contextmanager
def site(body: str) -> Iterator[tuple[str, list[str]]]:
    """A site with this page at each address; what it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}")
            content = f"<!doctype html><title>t</title><link rel=icon href=data:,><h1>{self.path}</h1>{body}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def click(base: str) -> Tape:
    """A visitor clicks on “Next” and comes to /done."""
    button = element(9, "button", text(10, "Next"), **{"data-testid": "x"})
    tape = Tape().page(f"{base}/start", button).click(9, name="Next", testId="x")
    return tape.page(f"{base}/done", element(9, "p"))


def settings(folder: Path) -> Settings:
    """Without a base URL: the recorded site is tried."""
    return load_settings(folder, {"runs_dir": folder / "runs", "action_timeout": 5.0}, {})


LEADS = "document.location = '/done'"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('<button data-testid=x onclick="' + LEADS + '">Delete everything</button>', "says “delete”"),
        ('<button data-testid=x aria-label="Konto löschen" onclick="' + LEADS + '">×</button>', "says “löschen” (delete)"),
        ('<form action=/done><input type=submit data-testid=x value="Go on"></form>', "this sends a form"),
        ("<form id=f action=/done></form><button form=f data-testid=x>Go on</button>", "this sends a form"),
        (
            f"<button data-testid=x onclick=\"fetch('/wipe', {{method: 'POST'}}).then(() => {LEADS})\">Go on</button>",
            "POST /wipe",
        ),
        (
            f"<button data-testid=x onclick=\"fetch('/all', {{method: 'DELETE'}}).then(() => {LEADS})\">Go on</button>",
            "DELETE /all",
        ),
        ("<form id=f action=/done method=post></form><a data-testid=x onclick=f.submit()>Go on</a>", "POST /done"),
    ],
)
def test_an_act_that_changes_something_is_not_done(chromium: Browser, tmp_path: Path, body: str, why: str) -> None:
    with site(body) as (base, asked):
        made = aside(make_untried, recording(click(base)), chromium)
        assert not made.report.dangers, "the recording calls it harmless"
        trial = verify_journey(made, tmp_path / "j.py", settings(tmp_path), yes=False).report.trial
        assert (trial.verdict, trial.statuses) == ("untried", ())
        assert why in trial.message
        assert trial.message.startswith("line ")
        assert trial.message.endswith("give --yes to allow it")
        assert asked == ["GET /start"]


def test_what_changes_nothing_and_what_is_allowed_is_tried(chromium: Browser, tmp_path: Path) -> None:
    reports = "navigator.sendBeacon('/seen'); fetch('/v1/views', {method: 'POST'})"
    harmless = f'<button data-testid=x onclick="{reports}; {LEADS}">Go on</button>'
    with site(harmless) as (base, asked):
        made = aside(make_untried, recording(click(base)), chromium)
        trial = verify_journey(made, tmp_path / "j.py", settings(tmp_path), yes=False).report.trial
        assert trial.verdict == "verified", trial
        assert asked.count("GET /done") == 3
    with site("<form action=/done method=post><button data-testid=x>Delete everything</button></form>") as (base, asked):
        made = aside(make_untried, recording(click(base)), chromium)
        trial = verify_journey(made, tmp_path / "j.py", settings(tmp_path), yes=True).report.trial
        assert (trial.verdict, asked.count("POST /done")) == ("verified", 3), trial


def test_the_guard_moves_no_line() -> None:
    source = 'from runner import journey\n\n\n@journey\ndef j(page):\n    """A visitor."""\n    page.goto("/")\n'
    guarded = guard_source(source, ("/v1/views",))
    assert len(guarded.splitlines()) == len(source.splitlines())
    assert guarded.splitlines()[5].startswith('    """A visitor."""; ')
    assert guarded.splitlines()[6] == '    page.goto("/")'
    compile(guarded, "j.py", "exec")
