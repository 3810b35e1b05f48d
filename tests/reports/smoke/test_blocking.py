"""What something costs that a site loads, decided of runs whose figures are known."""

from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from reports.formats.html.smoke import smoke_html
from reports.formats.junit import smoke_junit
from reports.formats.markdown import smoke_markdown
from reports.smoke.result import BlockCheck, SmokeResult
from reports.terminal.smoke_summary import render_smoke
from reports.text.cost_text import list_block_remarks, list_cost_rows
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.result import Requests, Vitals, Weight
from tests.reports.smoke.measured import CANDIDATE, check, failed, run


def weigh(ended: RunEnded, ads: bool, blocked: int = 3) -> RunEnded:
    """The run with the requests of a page, and of its advertisements unless they are blocked."""
    weight = [Weight(host="candidate.example", type="document", party="first", requests=1, transfer_bytes=1000)]
    if ads:
        weight.append(Weight(host="x.ads.co.uk", type="script", party="third", requests=2, transfer_bytes=5000))
        weight.append(Weight(host="tags.example", type="script", party="third", requests=1, transfer_bytes=900))
    count = sum(one.requests for one in weight)
    requests = Requests(
        ok=count,
        transfer_bytes=sum(one.transfer_bytes for one in weight),
        weight=tuple(weight),
        blocked=0 if ads else blocked,
    )
    vitals = Vitals(lcp=(ended.result.steps[0].latency_seconds or 0) / 2)
    steps = tuple(replace(one, requests=requests, vitals=vitals) for one in ended.result.steps)
    return replace(ended, result=replace(ended.result, steps=steps))


class Site:
    """A site on which both steps take 0.3 s with its advertisements and 0.1 s without; what else is blocked changes nothing."""

    def __init__(self, needs_tags: bool = False) -> None:
        self.walks: list[str] = []
        self.needs_tags = needs_tags

    def __call__(self, plan: Plan) -> RunEnded:
        """A run."""
        self.walks.append(plan.context.blocked)
        number = len(self.walks) / 1e6
        without = "ads" in plan.context.blocked or "(?!" in plan.context.blocked
        if self.needs_tags and "tags" in plan.context.blocked:
            return failed(plan)
        value = (0.1 if without else 0.3) + number
        blocked = 0 if "nowhere" in plan.context.blocked else 3
        return weigh(run(plan, {"open": value, "pay": value}), not plan.context.blocked or not blocked, blocked)


def costs(block: BlockCheck, step: str = "open") -> dict[str, tuple[str, float]]:
    (found,) = [one for one in block.steps if one.name == step]
    return {one.figure: (one.outcome, round(one.difference, 3)) for one in found.costs}


def measure(folder: Path, site: Site, *patterns: str) -> SmokeResult:
    return check(folder, site, blocks=patterns, seed=7, warm_up=1)[0]


def test_the_cost_of_third_parties_is_measured_with_and_without(tmp_path: Path) -> None:
    site = Site()
    result = measure(tmp_path, site, "third-party")
    (block,) = result.journeys[0].blocked
    assert (block.name, block.given_up, block.blocked_requests > 0) == ("third-party", False, True)
    assert costs(block) == {
        "latency": ("costs", 0.2),
        "lcp": ("costs", 0.1),
        "bytes": ("costs", 5900),
        "requests": ("costs", 3),
    }
    assert costs(block, "")["latency"] == ("costs", 0.4)
    assert [one.name for one in block.steps] == ["open", "pay", ""]
    # Its cost decides nothing: the check asks what it is.
    assert result.verdict == "passed"
    assert len(block.runs) == len(result.journeys[0].runs)
    order = [bool(one) for one in site.walks[1:]]
    pairs = list(zip(order[::2], order[1::2], strict=True))
    assert set(pairs) == {(True, False), (False, True)}


@pytest.mark.long
def test_each_third_party_is_known_from_the_warm_up_by_its_domain(tmp_path: Path) -> None:
    result = measure(tmp_path, Site(), "each")
    assert [one.name for one in result.journeys[0].blocked] == ["ads.co.uk", "tags.example"]
    ads, tags = result.journeys[0].blocked
    assert costs(ads)["latency"] == ("costs", 0.2)
    assert costs(tags)["latency"][0] == "nothing"


def test_a_journey_that_fails_without_it_says_so_and_is_given_up(tmp_path: Path) -> None:
    site = Site(needs_tags=True)
    result = measure(tmp_path, site, "*.tags.example", "ads.co.uk")
    tags, ads = result.journeys[0].blocked
    assert (tags.given_up, tags.failed_runs, tags.steps) == (True, 2, ())
    assert sum("tags" in one for one in site.walks) == 2
    assert not ads.given_up
    (remark,) = list_block_remarks(result.journeys[0])
    assert remark.startswith("with *.tags.example blocked, 2 runs failed in step “pay”: it is not there; it is needed")
    assert result.verdict == "passed"


def test_a_pattern_that_matches_nothing_is_said(tmp_path: Path) -> None:
    result = measure(tmp_path, Site(), "nowhere.example")
    assert any("no request was left out" in one for one in list_block_remarks(result.journeys[0]))


def test_every_report_has_the_table(tmp_path: Path) -> None:
    result = measure(tmp_path, Site(), "third-party")
    row = list_cost_rows(result.journeys[0])[0]
    assert (row.name, row.step) == ("third-party", "open")
    assert row.cells[0][0].startswith("+0.200 s (+0.200 s to +0.200 s)")
    assert row.cells[2] == ("+5.9 kB", True)
    console = Console(width=200, file=StringIO(), record=True)
    console.print(render_smoke(result))
    for shown in (console.export_text(), smoke_html(result).decode(), smoke_markdown(result), smoke_junit(result)):
        assert "third-party" in shown
        assert "5.9 kB" in shown
    assert result.base_url == CANDIDATE
