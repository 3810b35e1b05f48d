"""Runs on demand over the API: who may ask for what, once, and how it is followed."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from runner.codec import encode
from runner.events import StepEnded, StepStarted
from runner.result import RunResult
from runner.settings.parsers.addresses.base_urls import parse_base_url_patterns
from runner.store.scheduling.schedulers import LOST_AFTER
from tests.support.services.collector import Answer
from tests.support.services.dashboard import TOKEN, Visited, made

OWN = {"sec-fetch-site": "same-origin"}
PATTERNS = parse_base_url_patterns(["https://*.staging.shop.example"])


@pytest.fixture
def served(dashboard: Callable[..., Visited]) -> Visited:
    """A dashboard that knows two journeys, and beside it a scheduler."""
    return with_scheduler(dashboard(declared=lambda: frozenset({"buy", "search"}), remote_base_urls=PATTERNS))


def with_scheduler(served: Visited, location: str = "local") -> Visited:
    served.store.schedulers.register(f"at {location}", "host", 1, location, datetime.now(UTC))
    return served


def ask(served: Visited, body: object, **headers: str) -> Answer:
    given = {"accept": "application/json", "content-type": "application/json", **OWN}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return served.request(
        "POST", "/api/v1/runs", sent, given | {name.replace("_", "-"): text for name, text in headers.items()}
    )


def test_a_server_that_has_just_started_refuses_what_there_is_not(dashboard: Callable[..., Visited]) -> None:
    known: list[str] = []
    served = dashboard(declared=lambda: frozenset(known) if known else None, wait_for_declared=lambda: known.append("buy"))
    answer = ask(with_scheduler(served), {"journeys": ["bye"]})
    assert (answer.status, b"did you mean 'buy'?" in answer.body) == (400, True), answer.body


def make_run(served: Visited, run: Mapping[str, Any], status: str = "passed") -> RunResult:
    """What a scheduler does with a requested run."""
    store = served.store.requested_runs
    assert store.claim(run["id"], "at local", datetime.now(UTC))
    result = replace(made(run["journey"], status), id=run["id"], trigger="demand", slot_at=None)
    step = result.steps[0]
    moments = [
        StepStarted(run=run["id"], journey="buy", attempt=1, name="open", index=0),
        StepEnded(run=run["id"], journey="buy", attempt=1, step=step),
    ]
    store.add_events((run["id"], number, datetime.now(UTC), encode(one).decode()) for number, one in enumerate(moments))
    assert served.store.add(result)
    return result


def follow(served: Visited, request: str, last: str = "") -> list[tuple[str, str, Any]]:
    """All events up to the verdict: id, kind, content."""
    headers = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
    answer = served.request("GET", f"/api/v1/runs/requests/{request}/events", None, headers)
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    found = []
    for block in answer.body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


@pytest.mark.long
def test_runs_are_asked_for_followed_and_end_with_a_verdict(served: Visited) -> None:
    answer = ask(served, {"journeys": ["buy", "search"], "params": {"sku": "ö'; --"}, "release": "r7"})
    assert answer.status == 202, answer.body
    request = answer.json()
    assert [(run["journey"], run["location"], run["state"]) for run in request["runs"]] == [
        ("buy", "local", "waiting"),
        ("search", "local", "waiting"),
    ]
    assert (request["ended"], request["verdict"]) == (False, None)
    buy, search = request["runs"]
    result = make_run(served, buy, "failed")
    served.store.requested_runs.close(search["id"], "refused", "no such journey", datetime.now(UTC))
    now = served.get(f"/api/v1/runs/requests/{request['id']}", accept="application/json").json()
    assert (now["ended"], now["verdict"]) == (True, "failed")
    events = follow(served, request["id"])
    assert [kind for _, kind, _ in events] == ["moment", "moment", "result", "run", "verdict"]
    assert [data.get("type") for _, _, data in events[:2]] == ["StepStarted", "StepEnded"]
    assert (events[2][2]["id"], events[3][2]["detail"], events[4][2]["verdict"]) == (result.id, "no such journey", "failed")
    for number, (last, _, _) in enumerate(events[:-1]):
        assert follow(served, request["id"], last) == events[number + 1 :]
    assert follow(served, request["id"], "99999.nonsense") == events
    over = served.request("GET", f"/api/v1/runs/requests/{request['id']}/events", None, {"last-event-id": events[-1][0]})
    assert over.status == 204
    assert served.get("/api/v1/runs/requests/nothing/events", accept="text/event-stream").status == 404
    assert served.get("/api/v1/runs/requests/nothing", accept="application/json").status == 404


def test_who_follows_a_run_whose_scheduler_is_gone_does_not_wait_for_it_without_end(served: Visited) -> None:
    request = ask(served, {"journeys": ["buy"]}).json()
    (run,) = request["runs"]
    long_ago = datetime.now(UTC) - LOST_AFTER
    assert served.store.requested_runs.claim(run["id"], "at local", long_ago)
    served.store.schedulers.heartbeat("at local", long_ago)
    events = follow(served, request["id"])
    assert [kind for _, kind, _ in events] == ["run", "verdict"]
    assert (events[0][2]["state"], events[1][2]["verdict"]) == ("lost", "error")
    assert "the scheduler that had begun the run is gone" in events[0][2]["detail"]
    page = served.get(f"/requests/{request['id']}").body.decode()
    assert "no other has taken it over" in page
    assert '<span class="error">lost</span>' in page
    assert 'aria-current="page">Runs<' in page


def test_a_key_makes_a_request_once_whichever_server_gets_it(served: Visited, dashboard: Callable[..., Visited]) -> None:
    other = dashboard(declared=lambda: frozenset({"buy", "search"}))
    first = ask(served, {"journeys": ["buy"]}, idempotency_key='"8e03978e"')
    assert ask(other, {"journeys": ["buy"]}, idempotency_key="8e03978e").body == first.body
    served.store.schedulers.unregister("at local")
    assert ask(other, {"journeys": ["buy"]}, idempotency_key="8e03978e").body == first.body, "also without a scheduler"
    refused = ask(served, {"journeys": ["search"]}, idempotency_key="8e03978e")
    assert (refused.status, refused.json()["title"]) == (409, "Key used before")
    assert ask(served, {"journeys": ["buy"]}, idempotency_key="a b").json()["parameter"] == "idempotency_key"


def test_what_has_not_begun_can_be_cancelled(served: Visited) -> None:
    request = ask(served, {"journeys": ["buy", "search"]}).json()
    served.store.requested_runs.claim(request["runs"][0]["id"], "at local", datetime.now(UTC))
    path = f"/api/v1/runs/requests/{request['id']}/cancel"
    answer = served.request("POST", path, b"", {"accept": "application/json", **OWN})
    assert [run["state"] for run in answer.json()["runs"]] == ["claimed", "cancelled"]
    assert served.request("POST", path.replace(request["id"], "x"), b"", {"accept": "application/json", **OWN}).status == 404


def test_only_the_role_operate_or_the_token_may_ask(dashboard: Callable[..., Visited], tmp_path: Any) -> None:
    users = tmp_path / "users"
    users.write_text("vera:view:-\nolga:operate:-\n")
    served = with_scheduler(dashboard({
        "JOURNEY_SERVE_TOKEN": TOKEN, "JOURNEY_SERVE_USERS": str(users), "JOURNEY_SERVE_PROXY_USER_HEADER": "x-user",
        "JOURNEY_TRUSTED_PROXIES": "127.0.0.0/8",
    }))  # fmt: skip
    body = {"journeys": ["buy"]}
    no_page = {"sec_fetch_site": "cross-site"}
    assert ask(served, body).status == 401
    assert ask(served, body, authorization="Bearer wrong-but-long-enough-token").status == 401
    assert ask(served, body, authorization=f"Bearer {TOKEN}", **no_page).status == 202
    assert ask(served, body, x_user="olga").status == 202
    assert ask(served, body, x_user="olga", **no_page).status == 403, "sent by a page of another site"
    assert ask(served, body, x_user="vera").status == 403
    assert served.store.requested_runs.count_waiting("token") == 1


SENSELESS: list[object] = [
    b"", b"{", b"[]", b"\xff", {"journeys": "buy"}, {"journeys": ["x" * 101]}, {"journeys": ["a\nb"]}, {"journeys": [""]},
    {"journeys": ["buy"], "params": {"a": 1}}, {"journeys": ["buy"], "params": {"a": "\0"}}, {"journeys": ["buy"], "what": 1},
    {"journeys": ["buy"], "params": {"a": "x" * 2_001}}, {"journeys": ["buy"], "locations": ["a\nb"]}, {"journeys": ["buy"] * 51},
    {"journeys": ["buy"], "within_seconds": 1e9}, {"journeys": ["buy"], "reason": "confirm"}, {"journeys": ["nobody"]},
    {"journeys": ["buy"], "tags": ["x"]}, {"tags": ["x"]}, {"journeys": ["buy"], "release": "a\nb"},
    {"journeys": ["buy"], "base_url": "http://169.254.169.254/"}, {"journeys": ["buy"], "base_url": "file:///etc/passwd"},
    {"journeys": ["buy"], "base_url": "https://a@b.staging.shop.example"}, {"journeys": ["buy"], "base_url": "https://localhost"},
]  # fmt: skip


def test_what_cannot_be_meant_is_refused_and_named(served: Visited) -> None:
    for body in SENSELESS:
        answer = ask(served, body)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json"), (body, answer.body)
        assert served.store.requested_runs.count_waiting("") == 0, body


def test_an_address_of_the_allow_list_is_taken(served: Visited) -> None:
    request = ask(served, {"journeys": ["buy"], "base_url": "https://pr-7.staging.shop.example"}).json()
    (waiting,) = served.store.requested_runs.waiting(["local"])
    assert (waiting.id, waiting.base_url) == (request["runs"][0]["id"], "https://pr-7.staging.shop.example")


def test_a_run_is_made_where_a_scheduler_is(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    refused = ask(served, {"journeys": ["buy"]})
    assert (refused.status, refused.json()["title"], "journey schedule" in refused.json()["detail"]) == (
        503,
        "No scheduler",
        True,
    )
    assert ask(served, {}).json()["parameter"] == "journeys"
    with_scheduler(served, "oregon")
    assert ask(served, {"journeys": ["buy"]}).json()["runs"][0]["location"] == "oregon"
    with_scheduler(served, "frankfurt")
    assert "frankfurt, oregon" in ask(served, {"journeys": ["buy"]}).json()["detail"]
    both = ask(served, {"journeys": ["buy"], "locations": ["oregon", "frankfurt"]}).json()
    assert [run["location"] for run in both["runs"]] == ["oregon", "frankfurt"]


def test_one_user_cannot_ask_for_any_number_of_runs(served: Visited) -> None:
    assert [ask(served, {"journeys": ["buy"] * 50}).status for _ in range(4)] == [202] * 4
    answer = ask(served, {"journeys": ["buy"]})
    assert (answer.status, answer.headers["retry-after"]) == (429, "30")


def test_only_so_many_pages_follow_requests_at_a_time(served: Visited, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each looks at the database every second."""
    monkeypatch.setattr("reports.web.pages.requested_runs.MOST", 0)
    answer = served.get("/requests/any/changes")
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")


@pytest.mark.long
def test_a_button_leads_to_a_page_that_shows_how_far_the_run_is(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    served.store.add(made("buy"))
    assert "start <code>journey schedule</code>" in served.get("/journeys/buy").body.decode()
    assert served.post("/journeys/buy/run", {}).status == 503
    with_scheduler(served, "oregon")
    page = served.get("/journeys/buy").body.decode()
    assert '<button type="submit">Run now</button>' in page
    answer = served.post("/journeys/buy/run", {"key": "one"})
    assert answer.status == 303
    assert served.post("/journeys/buy/run", {"key": "one"}).headers["location"] == answer.headers["location"]
    assert served.post("/journeys/buy/run", {}, sec_fetch_site="cross-site").status == 403
    address = answer.headers["location"]
    assert "waits for a scheduler" in served.get(address).body.decode()
    (waiting,) = served.store.requested_runs.waiting(["oregon"])
    make_run(served, {"id": waiting.id, "journey": "buy"}, "failed")
    shown = served.get(address).body.decode()
    assert f'href="/runs/{waiting.id}"' in shown
    assert "expected the cart, got nothing" in shown
    assert served.get("/requests/nothing").status == 404
