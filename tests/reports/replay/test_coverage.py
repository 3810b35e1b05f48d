"""What real users do and no journey touches."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from reports.collector.storage.group_commit import Writer
from reports.users.coverage import read_coverage
from runner.archive.run_id import run_id
from runner.cli.all_commands import app
from runner.store import Store
from runner.store.queries.time_range import Range
from tests.reports.collector.arrivals import arrival, click, connected, view
from tests.support.asking import ask
from tests.support.services.databases import copied

NOW = datetime.now(UTC)
AT = NOW.timestamp() - 60
WHEN = Range(NOW - timedelta(hours=1), NOW + timedelta(minutes=1))


@pytest.fixture
def database(tmp_path: Path, empty: Path) -> str:
    """Real visitors on three pages, and a journey that opens one of them and adds a tea to the cart."""
    url = copied(empty, tmp_path)
    with Writer(url) as writer:

        def seen(page: str, *names: str, session: str | None = None, traffic: str = "real") -> None:
            one = view(started_at=AT, interactions=tuple(click(name) for name in names))
            writer.put_blocking(arrival(one, at=AT + 1, page=page, traffic=traffic, session=session or run_id()))

        for _ in range(3):
            seen("/item/:id", "Add to cart", "Cart 2")
        seen("/item/:id", "Ask a question", session="session-that-asked")
        seen("/help", "Call us", session="session-on-help")
        seen("/help", session="session-of-help")
        seen("/search")
        seen("/item/:id", "Add to cart", "Cart 7", traffic="synthetic")
        seen("/hidden", "Crawl", traffic="bot")
    return url


def test_pages_are_named_by_how_often_they_are_seen_with_a_session_each(database: str) -> None:
    with Store(database) as store:
        found = ask(store, read_coverage, "shop", WHEN)
    assert [(one.page, one.views) for one in found.untouched_pages] == [("/help", 2), ("/search", 1)]
    assert found.untouched_pages[0].session == "session-of-help"
    assert (found.views, found.views_covered) == (7, 4)


def test_an_action_is_known_by_its_name_whatever_number_is_in_it(database: str) -> None:
    with Store(database) as store:
        found = ask(store, read_coverage, "shop", WHEN)
    assert {(one.page, one.role, one.name, one.count) for one in found.untouched_actions} == {
        ("/item/:id", "button", "Ask a question", 1),
        ("/help", "button", "Call us", 1),
    }
    assert {one.session for one in found.untouched_actions} >= {"session-that-asked"}
    assert (found.actions, found.actions_covered) == (8, 6)


def test_only_the_most_used_are_listed_and_all_are_counted(database: str) -> None:
    with Store(database) as store:
        found = ask(store, read_coverage, "shop", WHEN, limit=1)
    assert (len(found.untouched_pages), len(found.untouched_actions)) == (1, 1)
    assert found.views == 7


def test_of_more_page_views_than_can_be_looked_at_it_tells_the_newest_and_says_so(database: str) -> None:
    with Store(database) as store:
        some, all_of_them = ask(store, read_coverage, "shop", WHEN, among=3), ask(store, read_coverage, "shop", WHEN)
    assert some.views <= 3
    assert (some.among, all_of_them.among) == (3, None)


def journey(*words: str) -> tuple[int, str]:
    """Exit code and output; an error's text, too."""
    result = CliRunner().invoke(app, list(words))
    said = f"{type(result.exception).__name__}: {result.exception}" if result.exception else ""
    return result.exit_code, result.output + said


@pytest.mark.long
def test_the_command_shows_a_table_and_what_to_do_next(database: str) -> None:
    code, output = journey("coverage", "--database", database)
    assert code == 0
    assert "shop: journeys open the pages of 57% of 7 page views, and do 75% of 8 actions" in output
    assert "button “Ask a question”" in output
    assert "none of these sessions was recorded" in output


@pytest.fixture
def recorded(database: str) -> str:
    """The same, with a recording of one of the sessions, and of another's only a part that cannot be played."""
    with connected(database) as connection:
        names = "app, session, tab, sequence, first_at, last_at, events, has_full_snapshot, bytes, checksum, "
        names += "received_at, traffic, release, page"
        for session, playable in (("session-on-help", True), ("session-of-help", False)):
            values = {"session": session, "playable": playable, "at": AT}
            row = "'shop', :session, 'tab', 0, :at, :at, 9, :playable, 99, '', :at, 'real', '', '/help'"
            connection.execute(text(f"INSERT INTO replay_chunks ({names}) VALUES ({row})"), values)
    return database


def test_a_session_that_was_recorded_is_named_rather_than_a_newer_one(recorded: str) -> None:
    with Store(recorded) as store:
        (help_, search) = ask(store, read_coverage, "shop", WHEN).untouched_pages
    assert (help_.page, help_.session, help_.recorded) == ("/help", "session-on-help", True)
    assert not search.recorded


def test_the_command_names_a_session_that_a_journey_can_be_made_of(recorded: str) -> None:
    assert (
        "make a journey from a session: journey from-session session-on-help" in journey("coverage", "--database", recorded)[1]
    )


def test_the_command_writes_json(database: str) -> None:
    _, output = journey("coverage", "--database", database, "--json", "-")
    assert json.loads(output)["coverage"]["untouched_pages"][0]["page"] == "/help"


def test_an_app_that_is_not_there_is_said(database: str) -> None:
    _, output = journey("coverage", "--database", database, "--app", "blog")
    assert "no page view of 'blog' is stored; there are: shop" in output


def test_where_nothing_is_stored_it_says_how_to_begin(tmp_path: Path) -> None:
    _, output = journey("coverage", "--runs-dir", str(tmp_path))
    assert "put the agent on the site's pages" in output
