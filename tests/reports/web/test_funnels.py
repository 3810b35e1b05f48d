"""Funnels: how far sessions come along some pages, from the settings and by the address, and who went no further."""

from collections.abc import Callable, Sequence

import pytest

from reports.users.funnels import count_funnel, follow_steps
from reports.users.rollup_queries import Filter
from runner.archive.run_id import run_id
from runner.settings.sections.funnels import Funnel, parse_funnels
from tests.reports.collector.arrivals import arrival, view
from tests.reports.web.visitors import DAY, NOW, fill, seen
from tests.support.services.dashboard import Visited
from tests.support.services.databases import BOTH

JSON = {"accept": "application/json"}
STEPS = ("/", "/item/:id", "/cart", "/thanks")
CHECKOUT = Funnel(name="checkout", app="shop", steps=STEPS)
SESSIONS = {name: run_id() for name in ("bought", "cart", "item", "slow", "backwards", "other")}
WALKS: dict[str, list[tuple[str, float]]] = {
    "bought": [("/", 0), ("/item/:id", 10), ("/help", 20), ("/cart", 30), ("/thanks", 60)],
    "cart": [("/", 0), ("/item/:id", 20), ("/", 30), ("/item/:id", 40), ("/cart", 50)],
    "item": [("/", 0), ("/item/:id", 30)],
    "slow": [("/", 0), ("/item/:id", 40), ("/cart", 2000), ("/thanks", 2010)],
    "backwards": [("/thanks", 0), ("/cart", 10), ("/item/:id", 20), ("/", 30)],
    "other": [("/help", 0)],
}


def walk(path: str, steps: Sequence[str] = "abc", within: float = 100) -> int:
    """How far somebody came who opens a page every ten seconds; a dot is a pause."""
    return len(follow_steps([(10.0 * at, page) for at, page in enumerate(path) if page != "."], steps, within))


@pytest.mark.parametrize(
    ("path", "steps", "reached"),
    [
        ("abc", "abc", 3),
        ("axxbxc", "abc", 3),  # others are in between
        ("ab", "abc", 2),
        ("cba", "abc", 1),
        ("bc", "abc", 0),
        ("ab..........c", "abc", 2),  # too late
        ("a..........abc", "abc", 3),  # it begins again
        ("ab.......ac", "abc", 3),  # and goes on where it was
        ("aa", "aba", 1),
        ("aba", "aba", 3),
        ("a", "aa", 1),  # one visit is one step
    ],
)
def test_a_session_comes_as_far_as_its_pages_are_in_order_and_in_time(path: str, steps: str, reached: int) -> None:
    assert walk(path, steps) == reached


@pytest.fixture
def shop(request: pytest.FixtureRequest, dashboard: Callable[..., Visited]) -> Visited:
    """A dashboard on SQLite, or on what the test's parameter names."""
    postgres = getattr(request, "param", "sqlite") == "postgres"
    served = dashboard(
        {"JOURNEY_DATABASE": request.getfixturevalue("postgres_copy")()} if postgres else {}, funnels=(CHECKOUT,)
    )
    views = [seen(page, NOW - 3600 + at, 0.5, session=SESSIONS[name]) for name, walked in WALKS.items() for page, at in walked]
    fill(served.store, [*views, seen("/", NOW - 3600, 0.5, traffic="bot")], [])
    return served


@pytest.mark.parametrize("shop", BOTH, indirect=True)
def test_a_funnel_of_the_settings_shows_the_drop_between_its_steps(shop: Visited) -> None:
    data = shop.get("/api/v1/funnels?range=24h&dropped=3", **JSON).json()
    assert [(one["page"], one["sessions"], one["dropped"], one["seconds"]) for one in data["steps"]] == [
        ("/", 5, 1, None),
        ("/item/:id", 4, 2, 20.0),
        ("/cart", 2, 1, 15.0),
        ("/thanks", 1, 0, 30.0),
    ]
    assert [one["id"] for one in data["dropped"]] == [SESSIONS["cart"]]
    assert [one["name"] for one in data["funnels"]] == ["checkout"]
    page = shop.get("/funnels?range=24h&dropped=2").body.decode()
    assert "1 of 5 sessions came to the end (20" in page
    assert {name for name, one in SESSIONS.items() if f"/sessions/{one}" in page} == {"item", "slow"}


def test_a_funnel_can_be_asked_for_in_the_address(shop: Visited) -> None:
    data = shop.get("/api/v1/funnels?range=24h&step=/&step=/item/:id&step=/cart&within=1h", **JSON).json()
    assert [(one["page"], one["sessions"]) for one in data["steps"]] == [("/", 5), ("/item/:id", 4), ("/cart", 3)]
    page = shop.get("/funnels?range=24h&step=/&step=/nowhere&step=").body.decode()
    assert "0 of 5 sessions came to the end" in page
    csv = shop.get("/api/v1/funnels?range=24h&format=csv").body.decode()
    assert csv.splitlines()[0] == "page,sessions,share,dropped,seconds"
    assert len(csv.splitlines()) == 5


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("step=/", "1 step is given; a funnel has 2 to 10"),
        ("&".join(["step=/a"] * 11), "11 steps are given; a funnel has 2 to 10"),
        ("step=/&step=/cart&within=9h", "at most &#39;4h&#39;"),
        ("step=/&step=/cart&within=soon", "within: "),
        ("funnel=chekout", "did you mean checkout?"),
        ("funnel=checkout&step=/", "not both"),
        ("dropped=0", "from 1 to 9"),
        ("dropped=009" + "9" * 500, "from 1 to 9"),
    ],
)
def test_a_wrong_funnel_is_refused_in_a_sentence(shop: Visited, query: str, said: str) -> None:
    answer = shop.get(f"/funnels?range=24h&{query}")
    assert answer.status == 400
    assert said in answer.body.decode()


def test_of_several_apps_none_is_chosen_silently(shop: Visited) -> None:
    fill(shop.store, [arrival(view(started_at=NOW - 60), at=NOW - 50, app="blog")], [])
    assert "1 of 5 sessions" in shop.get("/funnels?range=24h").body.decode()  # of the settings
    own = shop.get("/funnels?range=24h&step=/&step=/cart")
    assert (own.status, "a funnel is of one app: choose one of blog, shop" in own.body.decode()) == (400, True)
    assert "3 of 5 sessions" in shop.get("/funnels?range=24h&app=shop&step=/&step=/cart&within=1h").body.decode()
    assert "blog" in shop.get("/clicks?range=24h").body.decode()


def test_of_too_many_page_views_the_same_time_is_counted_for_every_step(shop: Visited) -> None:
    with shop.store.snapshot() as connection:
        whole = count_funnel(connection, Filter(app="shop"), DAY, STEPS, 1800)
        newest = count_funnel(connection, Filter(app="shop"), DAY, STEPS, 1800, among=6)
    assert whole.since == DAY.start
    assert newest.since > DAY.start
    # Of those that began before, the first step is not counted either.
    assert newest.steps[0].sessions < whole.steps[0].sessions


def test_funnels_are_parsed_and_mistakes_are_named() -> None:
    table = {"checkout": {"app": "shop", "steps": ["/", "/cart"], "within": "1h"}}
    assert parse_funnels(table) == (Funnel(name="checkout", app="shop", steps=("/", "/cart"), within=3600),)
    assert parse_funnels('buy = { app = "shop", steps = ["/", "/cart"] }')[0].within == 1800
    for value, said in (
        ({"Check out": {}}, "is not a name of a funnel"),
        ({"buy": 1}, r"write \[funnels.buy\]"),
        ({"buy": {"app": "shop", "step": []}}, "did you mean steps"),
        ({"buy": {"app": "shop"}}, "steps is missing"),
        ({"buy": {"app": "shop", "steps": ["/"]}}, "1 step is given"),
        ({"buy": {"app": "a b", "steps": ["/", "/b"]}}, "is not the name of an app"),
        ({"buy": {"app": "shop", "steps": ["/", "/b"], "within": "5h"}}, "at most '4h'"),
    ):
        with pytest.raises(ValueError, match=said):
            parse_funnels(value)
