"""Owner, runbook and source of a journey, on its page and on its runs' pages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reports.web.services.next_runs import JourneyFacts
from reports.web.services.source_links import make_source_link
from runner.dsl.journey import journey
from runner.errors import ConfigError, DiscoveryError
from runner.settings.load_settings import load_settings
from tests.support.services.dashboard import Visited, made

SOURCE = "https://git.example/shop/blob/main/{file}#L{line}"


@pytest.mark.long
def test_both_pages_link_them_and_only_what_there_is(dashboard: Callable[..., Visited]) -> None:
    facts = {
        "buy": JourneyFacts(file="/srv/journeys/buy.py", line=7, owner="Team <Kasse>", runbook="https://wiki.example/buy"),
        "search": JourneyFacts(file="/elsewhere/search.py", line=1, owner="", runbook=""),
    }
    link = make_source_link(SOURCE, Path("/srv"), [Path("/srv/journeys")])
    served = dashboard(facts=lambda: facts, source_link=link)
    runs = [made(journey=name) for name in ("buy", "search", "unknown")]
    for one in runs:
        served.store.add(one)
    for path in ("/journeys/buy", f"/runs/{runs[0].id}"):
        page = served.get(path).body.decode()
        assert "Team &lt;Kasse&gt;" in page
        assert '<a href="https://wiki.example/buy">Runbook</a>' in page
        assert '<a href="https://git.example/shop/blob/main/journeys/buy.py#L7">Source</a>' in page
    for path in ("/journeys/search", "/journeys/unknown", f"/runs/{runs[2].id}"):
        assert 'class="about"' not in served.get(path).body.decode()


@pytest.mark.parametrize(
    "value", ["https://git.example/x", "git.example/{file}", "javascript:{file}", "https://git.example/{file}/{other}"]
)
def test_a_source_url_that_is_not_one_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "journey.toml").write_text(f"source_url = '{value}'")
    with pytest.raises(ConfigError, match="source_url"):
        load_settings(tmp_path, {}, {})


def test_without_a_line_and_outside_the_project() -> None:
    link = make_source_link("https://git.example/{file}", Path("/srv"), [Path("/srv/journeys")])
    assert link("/home/ann/journeys/sub/buy.py", 3) == "https://git.example/journeys/sub/buy.py"
    assert link("/srv/../etc/passwd", 1) is None
    assert make_source_link(None, Path("/srv"), [])("/srv/buy.py", 1) is None


def test_a_runbook_is_an_address() -> None:
    with pytest.raises(DiscoveryError, match="runbook"):

        @journey(runbook="javascript:alert(1)")
        def buy(page: object) -> None: ...
