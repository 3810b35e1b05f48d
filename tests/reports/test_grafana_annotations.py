"""`journey grafana annotate`: failures and releases in a Grafana, whose API is answered as its documentation describes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from reports.grafana.annotations import LIMIT, Stored, choose_changes, find_annotations
from reports.grafana.definition.board import ANNOTATIONS
from runner.cli.all_commands import app
from runner.errors import PushError
from runner.store import Store
from runner.store.alerts.alerts import AlertKind
from tests.support.services.dashboard import made
from tests.support.services.http_server import serving_handler

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
TOKEN = "glsa_0123456789"


class Grafana:
    """The annotations of a Grafana."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.refused = 0

    def answer(self, method: str, path: str, body: dict[str, Any], token: str | None) -> tuple[int, Any]:
        """As https://grafana.com/docs/grafana/latest/developers/http_api/annotations/ has it."""
        if token != f"Bearer {TOKEN}":
            self.refused += 1
            return 401, {"message": "Invalid API key"}
        parts = urlsplit(path)
        if method == "GET":
            query = parse_qs(parts.query)
            start, end = int(query["from"][0]), int(query["to"][0])
            return 200, [
                one
                for one in self.kept
                if set(query["tags"]) <= set(one["tags"]) and one["time"] <= end and one["timeEnd"] >= start
            ]
        if method == "POST":
            self.kept.append({"timeEnd": body["time"], **body, "id": len(self.kept) + 1})
            return 200, {"message": "Annotation added", "id": len(self.kept)}
        number = int(parts.path.rpartition("/")[2])
        self.kept[number - 1].update(body)
        return 200, {"message": "Annotation patched"}


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[Grafana]:
    """It, and the settings that lead there."""
    there = Grafana()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = there.answer(self.command, self.path, json.loads(content or "{}"), self.headers.get("Authorization"))
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 (as http.server names them)

    with serving_handler(Handler) as address:
        monkeypatch.setenv("JOURNEY_GRAFANA_URL", address)
        monkeypatch.setenv("JOURNEY_GRAFANA_TOKEN", TOKEN)
        yield there


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of the project in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOURNEY_PUBLIC_URL", "https://monitor.example/")
    (tmp_path / "runs").mkdir()
    with Store(f"sqlite:///{tmp_path / 'runs' / 'journeys.db'}") as opened:
        yield opened


def alert(
    store: Store, bad: bool, at: datetime, kind: AlertKind = "failing", title: str = "buy fails: <b>no</b> button"
) -> None:
    store.alerts.record("buy", "berlin", kind, title, "", bad, (), at, "01b8")


def annotate(*options: str) -> Result:
    return CliRunner().invoke(app, ["grafana", "annotate", *options])


@pytest.mark.long
def test_a_failure_is_annotated_once_and_gets_its_end(store: Store, grafana: Grafana) -> None:
    alert(store, True, NOW - 3 * HOUR)
    alert(store, True, NOW - 3 * HOUR, kind="budget")
    first = annotate()
    assert first.exit_code == 0, first.output
    assert annotate().output == "nothing new to annotate\n"
    (one,) = grafana.kept
    assert one["tags"][:-1] == ["journey", "failure", "journey:buy", "location:berlin"]
    assert set(ANNOTATIONS) >= {"failure"}, "the dashboards ask for this tag"
    assert one["text"] == 'buy fails: &lt;b&gt;no&lt;/b&gt; button <a href="https://monitor.example/runs/01b8">The run</a>'
    assert one["time"] == one["timeEnd"] == (NOW - 3 * HOUR).timestamp() * 1000
    alert(store, False, NOW - HOUR)
    assert annotate().output.startswith("ended failure journey:buy location:berlin, ")
    assert annotate().output == "nothing new to annotate\n"
    assert [(one["time"], one["timeEnd"]) for one in grafana.kept] == [
        ((NOW - 3 * HOUR).timestamp() * 1000, (NOW - HOUR).timestamp() * 1000)
    ]


@pytest.mark.long
def test_a_release_is_annotated_at_its_first_run_only(store: Store, grafana: Grafana) -> None:
    for release, back in (("old", 90), ("old", 2), ("1 & 2", 5), ("1 & 2", 3), ("", 1)):
        store.add(replace(made(), release=release, started_at=NOW - back * HOUR))
    assert annotate("--dry-run").output.startswith("would write release release:1 & 2, ")
    assert grafana.kept == []
    assert annotate().exit_code == 0
    (one,) = grafana.kept
    assert one["time"] == (NOW - 5 * HOUR).timestamp() * 1000
    assert one["text"] == 'Release 1 &amp; 2 <a href="https://monitor.example/runs?release=1%20%26%202">Its runs</a>'
    assert annotate("--since", "2h").output == "nothing new to annotate\n"
    assert annotate("--since", "4d").output.startswith("annotated release release:old, ")


def test_what_grafana_refuses_is_said_without_the_token(
    store: Store, grafana: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert(store, True, NOW - HOUR)
    monkeypatch.setenv("JOURNEY_GRAFANA_TOKEN", "glsa_wrong")
    ended = annotate()
    assert ended.exit_code != 0
    assert "401 Unauthorized" in str(ended.exception)
    assert "glsa_wrong" not in str(ended.exception) + ended.output
    assert (grafana.refused, grafana.kept) == (1, [])


@pytest.mark.parametrize(
    "odd", [b"[" * 100_000, b"<html>", {"no": "list"}, [7], [{"id": "x", "tags": ["id:a"]}], [{"tags": 7, "id": 1}]]
)
def test_a_grafana_that_answers_oddly_is_named(
    store: Store, grafana: Grafana, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    alert(store, True, NOW - HOUR)
    monkeypatch.setattr(grafana, "answer", lambda *_: (200, odd))
    ended = annotate()
    assert isinstance(ended.exception, PushError)
    assert "did not answer with a list of annotations" in str(ended.exception)


def test_again_and_again_it_makes_up_for_an_outage(store: Store, grafana: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    alert(store, True, NOW - HOUR)
    kept = grafana.answer
    monkeypatch.setattr(grafana, "answer", lambda *_: (503, {"message": "database is locked"}))
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        """In place of the time until the next round: Grafana is there again, and after two rounds the command is stopped."""
        pauses.append(seconds)
        monkeypatch.setattr(grafana, "answer", kept)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("runner.cli.operating.grafana.time.sleep", pause)
    ended = annotate("--every", "1m")
    assert pauses == [60.0] * 3
    assert ended.output.count('503 Service Unavailable: {"message": "database is locked"}') == 1
    assert ended.output.count("annotated failure") == len(grafana.kept) == 1


def test_it_names_the_settings_that_are_missing(store: Store) -> None:
    assert "set grafana_url, and JOURNEY_GRAFANA_TOKEN" in str(annotate().exception)


@pytest.mark.thorough
@pytest.mark.long
def test_a_call_is_bounded_and_takes_the_newest(store: Store) -> None:
    for number in range(LIMIT + 5):
        alert(store, True, NOW - HOUR + timedelta(seconds=number))
        alert(store, False, NOW - HOUR + timedelta(seconds=number + 0.5))
    with store.snapshot() as connection:
        found = find_annotations(connection, NOW - 2 * HOUR, None)
    assert len({one.key for one in found}) == LIMIT
    assert found[0].begins_at == NOW - HOUR + timedelta(seconds=5)
    kept = {one.key: Stored(1, 0, round((one.ends_at or NOW).timestamp() * 1000)) for one in found[1:]}
    assert [one.annotation for one in choose_changes(found, kept)] == found[:1]
