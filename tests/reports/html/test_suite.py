"""The page of many tests or runs: what is on it, in which order, and that it stays small."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from msgspec.structs import replace

from reports.formats.html.runs import runs_html
from reports.formats.html.suite import suite_html
from reports.suite.entries import list_run_entries, list_test_entries
from reports.suite.records import Outcome, RecordedAttempt, RecordedTest
from reports.suite.timeline import draw_timeline
from runner.result import Artifact, Attempt, Failure, Quarantine
from tests.reports.hostile import NASTY
from tests.reports.samples import NOON, RUN, run
from tests.support.thorough import thorough_but


def attempt(number: int = 1, outcome: Outcome = "passed", at: float = 0.0, **fields: Any) -> RecordedAttempt:
    values: dict[str, Any] = {"duration_seconds": 0.5, "worker": "gw0"}
    return RecordedAttempt(number=number, outcome=outcome, started_at=NOON + timedelta(seconds=at), **values | fields)


def record(name: str, *attempts: RecordedAttempt, **fields: Any) -> RecordedTest:
    return RecordedTest(id=f"tests/test_shop.py::{name}", attempts=attempts or (attempt(),), **fields)


def many(count: int, bad: int) -> Iterator[RecordedTest]:
    for number in range(count):
        failed = number < bad
        text = "\n".join(f"line {line} of a long traceback {'x' * 70}" for line in range(60)) if failed else ""
        outcome: Outcome = "failed" if failed else "passed"
        yield record(
            f"test_something_with_a_long_name_{number}[chromium-{number % 7}]",
            attempt(outcome=outcome, at=number / 16, worker=f"gw{number % 8}", text=text, message=text[:80]),
        )


MIXED = [
    record("test_passed", attempt(at=0)),
    record("test_flaky", attempt(1, "failed", 1, message="slow"), attempt(2, at=2, worker="gw1")),
    record("test_held", attempt(1, "xfailed", 3, message="known"), run=RUN),
    record("test_failed", attempt(1, "failed", 4, message="AssertionError: no", text="def test():\nE  assert 0")),
    record("test_died", attempt(1, "crashed", 5, message="worker 'gw1' crashed", worker="gw1")),
    record("test_skipped", attempt(1, "skipped", 6, message="not today")),
]
LATE = Failure(kind="timeout", message="late", step="pay")
HELD = Quarantine(journey="buy", step="pay", owner="ann", reason="the bank", until=NOON.date())
FIRST, SECOND, LAST = run("failed").result.steps
HELD_RUN = run("failed", failure=LATE, quarantine=(HELD,), steps=(FIRST, replace(SECOND, failure=LATE), LAST))


def page_of(records: list[RecordedTest], folder: Path = Path("/x"), **options: Any) -> html.HtmlElement:
    content = suite_html(list_test_entries(records, {RUN: HELD_RUN}), folder, **options)
    return html.document_fromstring(content.decode())


def texts(page: html.HtmlElement, path: str) -> list[str]:
    return [" ".join(one.text_content().split()) for one in page.xpath(path)]


def test_what_gates_comes_first_then_quarantine_then_what_is_flaky() -> None:
    page = page_of(MIXED)
    assert texts(page, "//h1") == ["6 tests: 2 failed, 1 in quarantine, 1 flaky, 1 passed, 1 skipped"]
    assert texts(page, "//h3") == [
        "test_failed ✗ failed",
        "test_died ! its process died",
        "test_held – expected to fail",
        "test_flaky ✓ passed at attempt 2 (flaky)",
    ]
    assert texts(page, "//h2")[:5] == [
        "What failed",
        "In quarantine",
        "Flaky",
        "Slowest steps, by the page clock",
        "Workers over time",
    ]
    assert "step “pay” is in quarantine until 2026-01-01 and does not count (ann: the bank)" in page.text_content()


def test_the_failing_step_is_the_first_of_its_list() -> None:
    assert texts(page_of(MIXED), "//article[contains(., 'test_held')]//tbody/tr/th") == ["pay", "open the shop", "leave"]


def test_attempts_are_side_by_side_with_their_workers() -> None:
    (both,) = page_of(MIXED).xpath("//article[contains(., 'test_flaky')]//div[@class='attempts']")
    assert texts(both, ".//h4") == ["Attempt 1: ✗ failed after 0.500 s, gw0", "Attempt 2: ✓ passed after 0.500 s, gw1"]


def test_every_test_is_in_the_list_and_can_be_chosen_by_how_it_ended() -> None:
    page = page_of(MIXED)
    assert len(page.xpath("//*[contains(concat(' ', @class, ' '), ' test ')]")) == 6
    assert texts(page, "//fieldset/label") == ["all 6", "2 failed", "1 in quarantine", "1 flaky", "1 passed", "1 skipped"]


def test_workers_have_a_row_each_and_runs_without_one_the_first_that_is_free() -> None:
    drawn = draw_timeline(list_test_entries(MIXED, {}))
    assert drawn is not None
    assert [(one.name, one.attempts) for one in drawn.lanes] == [("gw0", 5), ("gw1", 2)]
    starts = (0, 1, 2.5)
    beside = [
        run(id=f"{number}", started_at=NOON + timedelta(seconds=at), duration_seconds=2.0) for number, at in enumerate(starts)
    ]
    drawn = draw_timeline(list_run_entries(beside))
    assert drawn is not None
    assert [(one.name, one.attempts) for one in drawn.lanes] == [("worker 1", 2), ("worker 2", 1)]
    apart = [run(id="1", duration_seconds=1.0), run(id="2", started_at=NOON + timedelta(days=3), duration_seconds=1.0)]
    assert draw_timeline(list_run_entries(apart)) is None


def test_a_trace_opens_in_the_viewer_beside_the_page_or_by_a_command(tmp_path: Path) -> None:
    (tmp_path / "data" / "a b").mkdir(parents=True)
    traced = record(
        "test_failed",
        attempt(1, "failed", message="no"),
        folder=str(tmp_path / "data" / "a b"),
        artifacts=(Artifact(kind="trace", path="trace.zip", bytes=1), Artifact(kind="screenshot", path="s.png", bytes=3)),
    )
    (tmp_path / "data" / "a b" / "s.png").write_bytes(b"png")
    page = page_of([traced], tmp_path, viewer=True)
    assert page.xpath("//a[@class='open']/@href") == ["./viewer/index.html?trace=../data/a%2520b/trace.zip"]
    assert page.xpath("//article//img/@src") == ["data:image/png;base64,cG5n"]
    assert texts(page_of([traced], tmp_path), "//article//code") == [f"journey trace '{tmp_path}/data/a b/trace.zip'"]


@pytest.mark.long
@pytest.mark.parametrize("bad", thorough_but(1, [40, 2_000]))
def test_two_thousand_tests_stay_below_five_megabytes(bad: int) -> None:
    content = suite_html(list_test_entries(many(2_000, bad), {}), Path("/x"))
    assert len(content) < 5_000_000
    assert content.count(b'class="test ') == 2_000


def test_many_runs_have_no_waterfalls_but_links_to_their_pages(tmp_path: Path) -> None:
    (tmp_path / "report.html").touch()
    content = runs_html([run("passed", tmp_path, id=str(number)) for number in range(21)], tmp_path).decode()
    assert "Waterfall" not in content
    assert content.count('href="./report.html"') == 21


def test_attempts_of_a_stored_run_have_their_own_failures() -> None:
    first = Attempt(number=1, status="failed", started_at=NOON, duration_seconds=0.4, failure=LATE)
    page = html.document_fromstring(runs_html([run(attempts=2, earlier_attempts=(first,)), run(id="2")], Path("/x")).decode())
    assert texts(page, "//h4")[0].startswith("Attempt 1: ✗ failed after 0.400 s")


@pytest.mark.parametrize("text", NASTY)
def test_a_hostile_test_is_text(text: str) -> None:
    nasty = RecordedTest(
        id=f"{text}::{text}",
        attempts=(attempt(1, "failed", message=text, text=text * 30, worker=text), attempt(2, "crashed", 1, message=text)),
        folder=text.replace("\x00", ""),
        artifacts=(Artifact(kind="trace", path=text, bytes=1), Artifact(kind="screenshot", path=text, bytes=1)),
    )
    for viewer in (True, False):
        page = page_of([nasty, record("a")], viewer=viewer)
        assert page.xpath("count(//script | //iframe | //object | //base | //form | //img)") == 0
        assert not [name for one in page.iter() for name in one.attrib if name.startswith("on") or name == "style"]
        assert all(link.startswith(("./", "#")) for link in page.xpath("//a/@href"))
