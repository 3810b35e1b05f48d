"""Where several apps report, every list offers all of them, and none is chosen silently."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from reports.collector.accepted_beacon import Arrival
from tests.reports.web.visitors import HOUR, NOW, fill, run, seen
from tests.support.services.dashboard import Visited

FROM = "range=24h"


def of_app(app: str, sent: Arrival) -> Arrival:
    return replace(sent, beacon=replace(sent.beacon, app=app))


@pytest.fixture(scope="module")
def served(lasting: Callable[[str], Callable[..., Visited]]) -> Visited:
    found = lasting("apps")()
    sent = [of_app("shop", seen("/pay", NOW - HOUR - 60 * number, 0.5)) for number in range(40)]
    sent += [
        of_app("press", seen("/news", NOW - HOUR - 90 - number, 0.5, url="https://press.example/news")) for number in range(4)
    ]
    at = sent[0].received_at
    fill(
        found.store,
        sorted(sent, key=lambda one: one.received_at),
        [run("buy", at, ["/pay"], 0.4), run("quiet", at, ["/other"], 0.4)],
    )
    return found


@pytest.mark.long
@pytest.mark.parametrize("path", ["/users", "/users/journeys", "/coverage"])
def test_a_page_of_one_app_lists_all_of_them_until_one_is_chosen(served: Visited, path: str) -> None:
    page = served.get(f"{path}?{FROM}").body.decode()
    assert '<span class="soft">all apps</span></h1>' in page
    for app in ("shop", "press"):
        assert f'href="{path}?{FROM}&amp;app={app}"' in page
    chosen = served.get(f"{path}?{FROM}&app=press").body.decode()
    assert '<span class="soft">press</span></h1>' in chosen
    assert '<option value="">all apps</option>' in chosen


def test_an_app_with_few_page_views_is_grey_and_the_reason_is_said_once(served: Visited) -> None:
    for path in ("/users", "/"):
        page = served.get(f"{path}?{FROM}").body.decode()
        assert page.count('class="gone"') == 1, path
        assert page.count("too few for a percentile") == 1, path


def test_the_sessions_of_all_apps_are_one_list_page_by_page(served: Visited) -> None:
    page = served.get(f"/sessions?{FROM}").body.decode()
    assert page.count('data-label="app">press<') == 4
    older = page.partition('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    rest = served.get(older).body.decode() if 'rel="next"' in page else ""
    assert (page + rest).count('data-label="app">shop<') == 40


def test_journeys_of_another_site_are_not_listed_with_an_app(served: Visited) -> None:
    of_shop = served.get(f"/users/journeys?{FROM}&app=shop").body.decode()
    of_press = served.get(f"/users/journeys?{FROM}&app=press").body.decode()
    assert "/journeys/buy" in of_shop
    assert "/journeys/buy" not in of_press
