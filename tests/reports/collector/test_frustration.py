"""Signs of frustration: what counts as one and what does not, and where they are shown."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from msgspec import Struct

from reports.collector.beacon import Interaction, ScriptError, SlowRequest
from reports.collector.frustration import NO_SIGNS, Click, Step, count_frustration, find_frustration, find_quick_back
from reports.collector.metrics.collector_metrics import CollectorMetrics
from reports.collector.storage.group_commit import Writer
from runner.archive.run_id import run_id
from tests.reports.collector.arrivals import arrival, view
from tests.reports.web.visitors import NOW
from tests.support.services.dashboard import Visited
from tests.support.services.databases import BOTH


class Fares(Struct):
    """How a writer fares."""

    quick_backs: dict[tuple[str, str, str], int]
    waiting: int = 0
    batches: int = 0
    last_batch: int = 0
    commit_seconds: float = 0.0


JSON = {"accept": "application/json"}


def clicks(text: str, what: str = "button “Pay”") -> list[Click]:
    """A click for each `x`; each character is a tenth of a second."""
    return [Click(number / 10, what) for number, one in enumerate(text) if one == "x"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("x", 0),
        ("xx", 0),  # a double click
        ("xxx", 0),  # selects a paragraph
        ("x.x.x.x", 1),
        ("x..x..x..x", 1),
        ("x...x...x...x", 0),  # somebody who counts up
        ("xxxxxxxxxxxx", 1),  # one burst
        ("x.x.x.x" + "." * 30 + "x.x.x.x", 2),
    ],
)
def test_four_clicks_on_the_same_thing_within_a_second_are_rage(text: str, count: int) -> None:
    assert [one.kind for one in find_frustration(clicks(text), [])] == ["rage click"] * count


def test_clicks_on_several_things_or_on_nothing_in_particular_are_not() -> None:
    several = [Click(number / 10, f"button {number}") for number in range(8)]
    assert find_frustration(several, []) == []
    assert find_frustration(clicks("xxxxxx", ""), []) == []


@pytest.mark.parametrize(
    ("text", "failures", "count"),
    [
        ("x", [0.3], 1),
        ("x", [1.0], 1),
        ("x", [1.1], 0),
        ("....x", [0.3], 0),  # it failed before
        ("x", [0.3, 0.4], 1),  # one click, however much fails
        ("x.......................x", [0.3, 2.5], 2),
        ("xx", [0.3], 1),
        ("", [0.3], 0),
    ],
)
def test_a_click_that_is_followed_by_a_failure_is_an_error_click(text: str, failures: list[float], count: int) -> None:
    found = find_frustration(clicks(text), failures)
    assert [one.kind for one in found] == ["error click"] * count
    assert all(one.at <= other.at for one, other in pairwise(found))


def test_only_failures_of_scripts_and_requests_count() -> None:
    act = Interaction(type="click", at_seconds=1.0, role="button", name="Pay")
    slow = SlowRequest(url="https://shop.example/api", at_seconds=1.2, duration_seconds=3.0, status=200)
    csp = ScriptError(kind="csp", message="blocked", at_seconds=1.2)
    failed = SlowRequest(url="https://a", at_seconds=1.2, status=503)
    error = ScriptError(kind="error", message="x", at_seconds=1.2)
    assert count_frustration(view(interactions=(act,), requests=(slow,), errors=(csp,))) == NO_SIGNS
    assert count_frustration(view(interactions=(act,), requests=(failed,))) == (0, 1, 0, 0)
    assert count_frustration(view(interactions=(act,), errors=(error,))) == (0, 1, 0, 0)
    assert count_frustration(view()) == NO_SIGNS


@pytest.mark.parametrize(
    ("steps", "now", "left"),
    [
        ({"/": 0.0, "/item/5": 20.0}, ("/", 24.0), "/item/5"),
        ({"/": 0.0, "/item/5": 20.0}, ("/", 25.5), None),  # not soon
        ({"/": 0.0, "/item/5": 20.0}, ("/cart", 22.0), None),  # where they have not been
        ({"/item/5": 20.0}, ("/", 22.0), None),  # from elsewhere
        ({"/": 0.0, "/item/5": 20.0, "/cart": 21.0}, ("/", 22.0), None),  # two back
        ({"/": 0.0, "/item/5": 20.0, "/later": 60.0}, ("/", 22.0), "/item/5"),  # beacons arrive in any order
    ],
)
def test_a_page_that_is_left_for_the_one_before_it_is_a_quick_back(
    steps: dict[str, float], now: tuple[str, float], left: str | None
) -> None:
    made = [Step(number, 1, at, url, url) for number, (url, at) in enumerate(steps.items())]
    found = find_quick_back(made, Step(9, 1, now[1], now[0], now[0]))
    assert (found.url if found else None) == left


@pytest.mark.long
@pytest.mark.parametrize("database", BOTH)
def test_signs_are_counted_for_the_page_that_they_are_about(
    database: str, request: pytest.FixtureRequest, dashboard: Callable[..., Visited]
) -> None:
    postgres = database == "postgres"
    served = dashboard({"JOURNEY_DATABASE": request.getfixturevalue("postgres_copy")()} if postgres else {})
    visitor = run_id()
    dead = Interaction(type="dead-click", at_seconds=1.0, role="button", name="Pay", element="main>button.pay")
    seen = [
        view(url="https://shop.example/", started_at=NOW - 60),
        view(
            url="https://shop.example/item/7", started_at=NOW - 50, interactions=(dead,), interaction_counts={"dead-click": 1}
        ),
        view(url="https://shop.example/", started_at=NOW - 47, type="bfcache"),
    ]
    with Writer(served.store.url) as writer:
        for one, page in zip(seen, ("/", "/item/:id", "/"), strict=True):
            writer.put_blocking(arrival(one, at=NOW - 30, session=visitor, page=page))
        # Reported again by a later beacon, which is not another one.
        writer.put_blocking(arrival(view(id=seen[2].id, started_at=NOW - 47, type="bfcache"), at=NOW - 20, session=visitor))
        assert dict(writer.quick_backs) == {("shop", "/item/:id", "real"): 1}
    (session,) = served.get("/api/v1/sessions?range=24h&frustrated=yes", **JSON).json()["sessions"]
    assert (session["frustrations"], session["interactions"]) == (2, 0)
    data = served.get("/api/v1/users?range=24h", **JSON).json()
    pages = {one["value"]: (one["dead_clicks"], one["quick_backs"], one["frustration"]) for one in data["pages"]}
    assert pages == {"/item/:id": (1, 1, 2.0), "/": (0, 0, 0.0)}
    page = served.get(f"/sessions/{visitor}").body.decode()
    assert "dead click: button “Pay”" in page
    assert "quick back from /item/:id" in page
    users = served.get("/users?range=24h&sort=frustration").body.decode()
    assert "1 dead click, 1 quick back" in users
    assert users.index("page=/item/%3Aid") < users.index('page=/"')


def test_the_metric_has_the_kind_of_each_sign() -> None:
    metrics = CollectorMetrics()
    metrics.writer = Fares({("shop", "/item/:id", "real"): 2, ("shop", "/", "bot"): 1})
    dead = Interaction(type="dead-click", at_seconds=1.0)
    metrics.stored(arrival(view(interactions=(dead,), interaction_counts={"dead-click": 1}), page="/cart"))
    for _ in range(2):
        metrics.settle()
    assert metrics.frustration.value("shop", "/cart", "dead_click") == 1
    assert metrics.frustration.value("shop", "/item/:id", "quick_back") == 2
    assert metrics.frustration.value("shop", "/", "quick_back") == 0
    assert metrics.interactions.value("shop", "dead-click") == 0


@pytest.mark.long
def test_sessions_with_frustration_are_counted_listed_and_shown(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    angry = run_id()
    presses = tuple(
        Interaction(type="click", at_seconds=2 + number / 5, role="button", name="<b>Pay</b>") for number in range(5)
    )
    seen = view(
        started_at=NOW - 60, interactions=presses, requests=(SlowRequest(url="https://a/pay", at_seconds=2.9, status=503),)
    )
    with Writer(served.store.url) as writer:
        writer.put_blocking(arrival(seen, at=NOW - 30, session=angry))
        writer.put_blocking(arrival(view(started_at=NOW - 60), at=NOW - 30))
        again = view(id=seen.id, started_at=NOW - 60, interactions=presses)
        writer.put_blocking(arrival(again, at=NOW - 20, session=angry))
    all_of_them = served.get("/api/v1/sessions?range=24h", **JSON).json()["sessions"]
    assert sorted(one["frustrations"] for one in all_of_them) == [0, 3]
    (found,) = served.get("/api/v1/sessions?range=24h&frustrated=yes", **JSON).json()["sessions"]
    assert found["id"] == angry
    page = served.get(f"/sessions/{angry}").body.decode()
    assert "3 signs of frustration" in page
    assert "rage click: button “&lt;b&gt;Pay&lt;/b&gt;”" in page
    assert "error click: button" in page
    listed = served.get("/sessions?range=24h&frustrated=yes").body.decode()
    assert f"/sessions/{angry}" in listed
    assert not any(f"/sessions/{one['id']}" in listed for one in all_of_them if one["id"] != angry)
    assert served.get("/sessions?frustrated=no").status == 400
