"""Baselines in files: saved, read back, fetched, and what is refused."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from reports.smoke import baseline
from runner.errors import ConfigError
from tests.reports.smoke.measured import check, sides
from tests.support.services.servers import free_port
from tests.support.wait import PAUSE


def text(folder: Path) -> bytes:
    result, _ = check(folder, sides(0.1, 0.1), ("buy", "look"), runs=3)
    baseline.save(baseline.of(result), folder / "base.json")
    return (folder / "base.json").read_bytes()


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], str]]:
    """Serves this content at any path; gives the address."""
    servers = []

    def start(content: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                moved = self.path.startswith("/moved")
                self.send_response(404 if self.path.startswith("/none") else 302 if moved else 200)
                if moved:
                    self.send_header("Location", "/main.json?signature=abc")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(PAUSE,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for one in servers:
        one.shutdown()
        one.server_close()


def test_a_baseline_has_the_figures_of_each_journey_and_step(tmp_path: Path) -> None:
    result, _ = check(tmp_path, sides(0.1, 0.1), ("buy", "look"), runs=3)
    baseline.save(baseline.of(result), tmp_path / "base.json")
    read = baseline.load(str(tmp_path / "base.json"), tmp_path)
    assert (read.version, read.check, read.location) == (1, result.id, "local")
    assert read.environment.browser == "chromium 156"
    assert list(read.journeys) == ["buy", "look"]
    assert read.journeys["buy"].steps["pay"] == result.journeys[0].steps[1].figures
    assert len(read.journeys["buy"].whole["duration"]) == len(read.journeys["buy"].runs) == 3
    assert read == baseline.of(result)


def test_a_name_stands_for_a_file_beside_the_runs(tmp_path: Path) -> None:
    result, _ = check(tmp_path, sides(0.1, 0.1), runs=1)
    file = baseline.file_of("main", tmp_path / "runs", "--save-baseline")
    baseline.save(baseline.of(result), file)
    assert file == tmp_path / "runs" / ".baselines" / "main.json"
    assert baseline.load("main", tmp_path / "runs").check == result.id


def test_a_baseline_is_fetched_from_an_address(tmp_path: Path, serve: Callable[[bytes], str]) -> None:
    address = serve(text(tmp_path))
    assert list(baseline.load(f"{address}/main.json?signature=abc", tmp_path).journeys) == ["buy", "look"]
    with pytest.raises(ConfigError, match=r"/none: cannot be fetched: HTTP Error 404.*give a file"):
        baseline.load(f"{address}/none?signature=abc", tmp_path)


def test_a_redirect_is_not_followed_and_says_where_to(tmp_path: Path, serve: Callable[[bytes], str]) -> None:
    address = serve(text(tmp_path))
    with pytest.raises(ConfigError) as caught:
        baseline.load(f"{address}/moved?signature=abc", tmp_path)
    assert f"--baseline {address}/moved: redirects to {address}/main.json (302), and redirects are not followed" in str(
        caught.value
    )
    assert "signature" not in str(caught.value)


def test_an_address_is_shown_without_what_signs_it() -> None:
    assert baseline.shown("https://x.example/main.json?X-Amz-Signature=abc#y") == "https://x.example/main.json"
    assert baseline.shown("https://me:hunter2@x.example/main.json") == "https://•••@x.example/main.json"
    assert baseline.shown("runs/a?b.json") == "runs/a?b.json"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("nightly", "nightly.json does not exist; make one with `journey smoke --save-baseline nightly`"),
        ("no/such.json", "no/such.json does not exist"),
        (".", "'.' is neither a file nor a name; a name has letters"),
        ("ma in", "'ma in' is neither a file nor a name"),
        ("ftp://x.example/a.json", "--baseline ftp://x.example/a.json: give an address with http or https"),
        ("https://me:pw@x.example/a.json", "without credentials, or a file"),
    ],
)
def test_a_baseline_that_is_not_there_is_named_with_what_to_do(tmp_path: Path, wanted: str, message: str) -> None:
    with pytest.raises(ConfigError) as told:
        baseline.load(wanted, tmp_path)
    assert message in str(told.value)
    assert "pw@" not in str(told.value)


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be fetched: .*refused.*; look at the address, or give a file"):
        baseline.load(f"http://127.0.0.1:{free_port()}/main.json", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: b"{", "is not a baseline: Input data was truncated; make one with"),
        (lambda _: b"\xff\xfe", "is not a baseline"),
        (lambda _: b'{"version": 1, "a": ' + b"[" * 100_000, "is not a baseline"),
        (lambda _: b'{"runs": []}', "is not a baseline: Object missing required field `version`"),
        (lambda it: json.dumps({**it, "version": 2}).encode(), "has version 2, this journey-runner reads 1; make a new one"),
        (
            lambda it: json.dumps({**it, "journeys": {"buy": {}}}).encode(),
            "is not a baseline: Object missing required field `steps`",
        ),
        (
            lambda it: json.dumps({**it, "journeys": {"buy": {"steps": {"pay": {"latency": [-1]}}}}}).encode(),
            "is not a baseline: Expected `float` >= 0.0",
        ),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, change: Callable[[object], bytes], message: str) -> None:
    content = change(json.loads(text(tmp_path)))
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(ConfigError) as told:
        baseline.load(str(tmp_path / "bad.json"), tmp_path)
    assert message in str(told.value)
    assert "bad.json" in str(told.value)


def test_a_baseline_cannot_be_saved_at_an_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--save-baseline https://x.example/a.json: a baseline can be read from an address"):
        baseline.file_of("https://x.example/a.json?token=x", tmp_path, "--save-baseline")


def test_a_baseline_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    result, _ = check(tmp_path, sides(0.1, 0.1), runs=1)
    (tmp_path / "base.json").mkdir()
    with pytest.raises(ConfigError, match=r"--save-baseline .*base.json: cannot be written"):
        baseline.save(baseline.of(result), tmp_path / "base.json")
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []
