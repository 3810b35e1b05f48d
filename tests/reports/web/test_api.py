"""`/api/v1`: what the pages show, as JSON and CSV; described truly, and with errors that help."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import msgspec
import pytest

from reports.collector.storage.series import group_by_message
from reports.web.api.change import CHANGES
from reports.web.api.endpoint import Endpoint
from reports.web.api.registry import ENDPOINTS
from reports.web.api.run_stream import PATH as STREAM
from reports.web.api.table import format_cell
from reports.web.view_models.lists import RunList
from runner.result import RunResult
from runner.store.queries.runs import RunRow
from tests.reports.collector.arrivals import error
from tests.reports.web.visitors import EVIL, EVIL_ID, EVIL_SESSION, HOUR, NOW, fill, visits
from tests.support.requested_runs import ask
from tests.support.services.dashboard import TOKEN, Visited, made, many

Start = Callable[..., Visited]
JSON = {"accept": "application/json"}
REFUSED = group_by_message("shop", error("the card is refused"))
"""An error that visitors have."""


@pytest.fixture(scope="module")
def filled(lasting: Callable[[str], Start]) -> tuple[Visited, list[RunResult]]:
    """A dashboard with runs of three journeys, an alert, slots that were missed, and the page views of some hours."""
    served = lasting("filled")()
    runs = many(60)
    for one in runs:
        served.store.add(one)
    now = datetime.now(UTC)
    served.store.alerts.record("buy", "berlin", "failing", "buy fails", "since 3 runs", True, [], now, runs[0].id)
    served.store.slots.record("buy", "berlin", now - timedelta(minutes=3), "missed", "the machine was asleep", "me", now)
    fill(served.store, [one for one in visits() if one.received_at.timestamp() > NOW - 5 * HOUR], [])
    ask(served.store, "buy", id=REQUEST)
    return served, runs


REQUEST = "0192-request"


def path_of(endpoint: Endpoint, runs: list[RunResult]) -> str:
    """An address of an endpoint at which there is something."""
    return endpoint.path.format(
        journey="buy", run=runs[0].id, view=EVIL_ID, session=EVIL_SESSION, error=REFUSED, request=REQUEST
    )


@pytest.mark.long
def test_every_endpoint_answers_what_its_struct_says(filled: tuple[Visited, list[RunResult]]) -> None:
    served, runs = filled
    for endpoint in ENDPOINTS:
        path = path_of(endpoint, runs)
        answer = served.get(f"/api/v1{path}", **JSON)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), path
        msgspec.json.decode(answer.body, type=endpoint.struct)
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.long
def test_the_overview_says_what_the_runs_were(filled: tuple[Visited, list[RunResult]]) -> None:
    served, runs = filled
    data = served.get("/api/v1/overview?range=24h", **JSON).json()
    for state in data["journeys"]:
        own = [one for one in runs if one.journey == state["journey"]]
        assert state["runs"] == len(own)
        assert state["passed"] == sum(one.status == "passed" for one in own)
        assert state["newest_run"] == own[-1].id
    assert "alert" in {one["kind"] for one in data["changes"]}
    assert served.get("/api/v1/alerts", **JSON).json()["alerts"][0]["title"] == "buy fails"
    assert served.get("/api/v1/missed", **JSON).json()["slots"][0]["reason"] == "the machine was asleep"


@pytest.mark.long
def test_lists_of_runs_come_page_by_page(filled: tuple[Visited, list[RunResult]]) -> None:
    served, runs = filled
    found: list[str] = []
    before = ""
    for _ in range(100):
        page = served.get(f"/api/v1/runs?limit=17{before}", **JSON).json()
        found += [one["id"] for one in page["runs"]]
        if page["older"] is None:
            break
        before = f"&before={page['older']}"
    assert found == [one.id for one in sorted(runs, key=lambda one: one.started_at, reverse=True)]


def test_lists_are_filtered(filled: tuple[Visited, list[RunResult]]) -> None:
    served, runs = filled
    found = served.get("/api/v1/runs?journey=buy&status=failed&status=error&limit=1000", **JSON).json()["runs"]
    wanted = [one for one in runs if one.journey == "buy" and one.status in {"failed", "error"}]
    assert {one["id"] for one in found} == {one.id for one in wanted}


@pytest.mark.parametrize(
    ("path", "parameter", "fix"),
    [
        ("/runs?statsu=failed", "statsu", "did you mean status?"),
        ("/runs?status=fine", "status", "choose one of passed, failed, error, cancelled"),
        ("/runs?limit=0", "limit", "a whole number from 1 to 1000"),
        ("/runs?limit=ten", "limit", "a whole number from 1 to 1000"),
        ("/runs?limit=5&limit=6", "limit", "give it once"),
        ("/runs?before=none", "before", "use the `older`"),
        ("/runs?range=soon", "range", "write a number of seconds"),
        ("/runs?from=yesterday", "from", "write one such as 2026-06-01T12:00:00Z"),
        ("/runs?format=xml", "format", "choose one of json, csv"),
        ("/alerts?range=1h", "range", "there are: format"),
        ("/runs?journey=" + "x" * 300, "journey", "at most 200 are allowed"),
        ("/runs/none?format=csv", "format", "there are: none"),
        ("/users?traffic=cars", "traffic", "choose one of real, bot, synthetic, all"),
        ("/users?sort=colour", "sort", "choose one of impact, views"),
        ("/users?list=shoes", "list", "choose one of pages, moments"),
        ("/users?app=attic", "app", "has sent nothing yet; choose one of shop"),
        ("/sessions?errors=no", "errors", "choose one of yes"),
        ("/sessions?longer=soon", "longer", "'soon' is not a duration"),
    ],
)
def test_a_wrong_parameter_is_named_with_the_fix(
    filled: tuple[Visited, list[RunResult]], path: str, parameter: str, fix: str
) -> None:
    served, _ = filled
    answer = served.get(f"/api/v1{path}", **JSON)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    told = answer.json()
    assert (told["status"], told["parameter"], fix in told["detail"]) == (400, parameter, True), told


def test_what_is_not_there_is_a_problem_too(dashboard: Start) -> None:
    served = dashboard()
    for path in (
        "/api/v1/runs/none",
        "/api/v1/runs/none/artifacts",
        "/api/v1/journeys/none",
        "/api/v1/journeys/none/phases",
        "/api/v1/none",
        "/api/v2",
        "/api/v1/users",
        "/api/v1/users/journeys",
        "/api/v1/users/views/none",
        "/api/v1/sessions",
        "/api/v1/sessions/none",
    ):
        answer = served.get(path, **JSON)
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert answer.json()["title"] == "Not found"
    answer = served.request("DELETE", "/api/v1/runs", None, {**JSON, "sec-fetch-site": "cross-site"})
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")


# Real users


@pytest.mark.long
def test_the_api_tells_of_real_users_what_the_pages_show(filled: tuple[Visited, list[RunResult]]) -> None:
    served, _ = filled
    data = served.get("/api/v1/users?range=30h", **JSON).json()
    assert [tile["metric"] for tile in data["tiles"]] == ["lcp", "inp", "cls", "fcp", "ttfb", "load"]
    page = served.get("/users?range=30h").body.decode()
    assert f"{data['tally']['views']:,} page views, {data['tally']['sessions']:,} sessions" in page
    assert all(one["value"] in unescape(page) for one in data["pages"])
    mobile = served.get("/api/v1/users?range=30h&device=mobile&page=/item/:id", **JSON).json()
    assert 0 < mobile["tally"]["views"] < data["tally"]["views"]
    assert [one["value"] for one in mobile["devices"]] == ["mobile"]
    assert [one["value"] for one in mobile["pages"]] == ["/item/:id"]


def test_one_page_view_and_its_session_are_told_whole(filled: tuple[Visited, list[RunResult]]) -> None:
    served, _ = filled
    data = served.get(f"/api/v1/users/views/{EVIL_ID}", **JSON).json()
    assert (data["view"]["seen"]["page"], data["session"]["id"], data["recorded_from"]) == (EVIL, EVIL_SESSION, None)
    assert [one["metric"] for one in data["slow"]] == ["load", "lcp"]
    session = served.get(f"/api/v1/sessions/{EVIL_SESSION}", **JSON).json()
    assert [one["seen"]["id"] for one in session["visits"]] == [EVIL_ID]
    assert {one["kind"] for one in session["visits"][0]["marks"]} == {"interaction", "error", "request"}


def test_sessions_come_page_by_page(filled: tuple[Visited, list[RunResult]]) -> None:
    served, _ = filled
    found: list[str] = []
    more = True
    while more:
        before = f"&before={found[-1]}" if found else ""
        page = served.get(f"/api/v1/sessions?range=12h&errors=yes&limit=20{before}", **JSON).json()
        assert all(one["errors"] for one in page["sessions"])
        found += [one["id"] for one in page["sessions"]]
        more = page["more"]
    assert len(found) == len(set(found)) > 20


def test_journeys_beside_real_users_are_told(filled: tuple[Visited, list[RunResult]]) -> None:
    served, _ = filled
    data = served.get("/api/v1/users/journeys?range=24h", **JSON).json()
    assert {one["journey"] for one in data["triage"]} >= {None}
    rows = csv.DictReader(io.StringIO(served.get("/api/v1/users/journeys?format=csv&list=triage").body.decode(), newline=""))
    assert [row["verdict"] for row in rows] == [one["verdict"] for one in data["triage"]]


@pytest.mark.thorough
@pytest.mark.long
def test_what_the_page_about_users_lists_comes_as_csv(filled: tuple[Visited, list[RunResult]]) -> None:
    served, _ = filled
    data = served.get("/api/v1/users?range=24h", **JSON).json()
    for name in ("pages", "moments", "load", "slowest", "errors", "actions", "devices", "browsers", "releases"):
        answer = served.get(f"/api/v1/users?range=24h&format=csv&list={name}")
        assert answer.headers["content-disposition"] == f'attachment; filename="users-{name}.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
        assert len(rows) == len(data[name]) > 0, name
        assert set(rows[0]) == set(data[name][0])
    assert served.get("/api/v1/users?format=csv").body == served.get("/api/v1/users?format=csv&list=pages").body
    more = served.get("/api/v1/users?range=24h&limit=1000", **JSON).json()
    assert (len(more["pages"]), more["more_pages"]) == (len(data["pages"]) + data["more_pages"], 0)


# CSV


@pytest.mark.long
def test_a_list_comes_as_csv_for_a_spreadsheet(filled: tuple[Visited, list[RunResult]]) -> None:
    served, runs = filled
    for answer in (served.get("/api/v1/runs?format=csv&limit=1000"), served.get("/api/v1/runs?limit=1000", accept="text/csv")):
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="runs.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
        assert tuple(rows[0]) == RunRow.__struct_fields__
        assert {row["id"] for row in rows} == {one.id for one in runs}
        assert float(rows[0]["duration_seconds"]) == runs[-1].duration_seconds
    for endpoint in ENDPOINTS:
        path = path_of(endpoint, runs)
        assert served.get(f"/api/v1{path}?format=csv").status == (200 if endpoint.rows else 400), path


def test_no_cell_is_a_formula(dashboard: Start) -> None:
    served = dashboard()
    texts = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n@x", "=cmd|' /C calc'!A0", "%0A=1", "|calc"]
    for ago, text in enumerate(texts):
        assert format_cell(text) == f"'{text}"
        served.store.add(made(status="failed", message=text, step=text, location=text, ago=60.0 * (1 + ago)))
    rows = list(csv.DictReader(io.StringIO(served.get("/api/v1/runs?format=csv").body.decode(), newline="")))
    assert [(row["failure_message"], row["failure_step"], row["location"]) for row in rows] == [
        (f"'{text}",) * 3 for text in texts
    ]
    assert {float(row["duration_seconds"]) for row in rows} == {1.2}


def test_quotes_commas_and_lines_stay_in_their_cell(dashboard: Start) -> None:
    served = dashboard()
    text = 'a, "b"\nc;d'
    served.store.add(made(status="failed", message=text))
    (row,) = csv.DictReader(io.StringIO(served.get("/api/v1/runs?format=csv").body.decode(), newline=""))
    assert row["failure_message"] == text


# Description


@pytest.mark.long
def test_the_description_names_every_endpoint_and_struct(dashboard: Start) -> None:
    document = dashboard().get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {one.path for one in (*ENDPOINTS, *CHANGES)} | {STREAM}
    assert {one.struct.__name__ for one in ENDPOINTS} <= set(document["components"]["schemas"])
    assert (
        RunList.__name__
        in document["paths"]["/runs"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    )
    references = json.dumps(document)
    for name in [part.partition('"')[0] for part in references.split("#/components/schemas/")[1:]]:
        assert name in document["components"]["schemas"]


def test_people_find_every_endpoint_on_a_page(dashboard: Start) -> None:
    page = unescape(dashboard().get("/api/v1").body.decode())
    for endpoint in (*ENDPOINTS, *CHANGES):
        assert f"/api/v1{endpoint.path}" in page
        assert endpoint.summary in page


def test_with_a_token_the_api_is_for_programs(dashboard: Start) -> None:
    served = dashboard({"JOURNEY_SERVE_TOKEN": TOKEN})
    assert served.get("/api/v1/runs", **JSON).status == 401
    assert served.get("/api/v1/runs", authorization=f"bearer {TOKEN}", **JSON).status == 200
