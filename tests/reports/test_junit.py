"""JUnit XML as CI systems read it, held against a schema of what all of them take."""

from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree
from msgspec.structs import replace

from reports.formats.junit import runs_junit, smoke_junit
from tests.reports.hostile import hostile_run, hostile_smoke, texts
from tests.reports.samples import FAILURE, RUN, RUNS, SMOKE, SMOKES, run

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))


def read(xml: str) -> etree._Element:
    """The document, which fits the schema, and in which all sums are right."""
    document = etree.fromstring(xml.encode())
    SCHEMA.assertValid(document)
    for suite in document:
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(name)) == len(suite.findall(f"testcase/{tag}"))
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
    for name in ("tests", "failures", "errors"):
        assert int(document.get(name)) == sum(int(suite.get(name)) for suite in document)
    return document


def case(document: etree._Element, name: str, journey: str = "buy") -> etree._Element:
    (found,) = document.xpath(f"//testcase[@classname='{journey}'][@name='{name}']")
    return found


def properties(document: etree._Element) -> dict[str, str]:
    return {one.get("name"): one.get("value") for one in document[0].find("properties")}


@pytest.mark.parametrize("name", SMOKES)
def test_every_smoke_check_fits_the_schema(name: str) -> None:
    document = read(smoke_junit(SMOKES[name]))
    assert [suite.get("name") for suite in document] == [one.name for one in SMOKES[name].journeys]
    bad = int(document.get("failures")) + int(document.get("errors"))
    assert (bad > 0) == (SMOKES[name].verdict != "passed")


@pytest.mark.parametrize("name", RUNS)
def test_all_runs_fit_the_schema(name: str) -> None:
    document = read(runs_junit(RUNS[name]))
    assert [suite.get("name") for suite in document] == [saved.result.journey for saved in RUNS[name]]


def test_a_step_is_a_case_and_its_time_the_median() -> None:
    document = read(smoke_junit(SMOKES["slower"]))
    assert case(document, "open the shop").get("time") == "0.121"
    assert case(document, "open the shop").findtext("failure") is None
    assert "median 0.121 s of 12, 0.114 s to 0.130 s" in case(document, "open the shop").findtext("system-out")


def test_a_broken_site_is_a_failure_with_message_line_page_and_trace() -> None:
    failure = case(read(smoke_junit(SMOKES["failed"])), "pay").find("failure")
    assert (failure.get("type"), failure.get("message")) == ("assertion", "Locator expected to be visible")
    assert failure.text.splitlines() == [
        "Locator expected to be visible",
        "Actual value: None",
        f"at /repo/journeys/buy.py:14: {FAILURE.code}",
        "on https://next.shop.example/checkout",
        "trace: /repo/runs/buy/x/trace.zip",
        f"see: journey show {RUN}",
    ]


def test_a_broken_monitor_is_an_error() -> None:
    document = read(smoke_junit(SMOKES["monitor"]))
    assert (document.get("failures"), document.get("errors")) == ("0", "1")
    error = case(document, "whole journey").find("error")
    assert error.get("type") == "browser"
    assert error.get("message") == "not passed on the reference site main, so nothing can be said: the browser was gone"
    assert case(read(runs_junit(RUNS["monitor"])), "pay").find("error").get("type") == "browser"


def test_a_regression_is_a_failure_with_its_numbers() -> None:
    failure = case(read(smoke_junit(SMOKES["slower"])), "pay").find("failure")
    assert failure.get("type") == "baseline"
    assert failure.get("message").startswith("35 % slower than main (0.403 s → 0.545 s, +28 % to +43 %, 12 ")


def test_a_missed_budget_is_a_failure_with_its_numbers() -> None:
    document = read(smoke_junit(SMOKES["over"]))
    step, whole = (case(document, name).find("failure") for name in ("open the shop", "whole journey"))
    assert (step.get("type"), whole.get("type")) == ("budget", "budget")
    assert step.text == "p95 latency of 0.310 s is over the budget of 0.125 s (/repo/journeys/buy.py:9)"
    assert whole.text == "p95 duration of 1.400 s is over the budget of 1.200 s (budgets.duration)"
    over = case(read(runs_junit(RUNS["over budget"])), "pay").find("failure")
    assert (over.get("type"), over.get("message")) == ("budget", "0.900 s is over its budget of 0.500 s")


def test_an_undecided_step_fails_only_where_it_is_told_to() -> None:
    undecided = read(smoke_junit(SMOKES["undecided"]))
    assert undecided.get("failures") == "0"
    skipped = case(undecided, "pay").find("skipped")
    assert skipped is not None, "it has not passed either"
    assert str(skipped.text).startswith("undecided against the baseline")
    failure = case(read(smoke_junit(SMOKES["undecided fails"])), "pay").find("failure")
    assert failure.get("type") == "baseline"
    assert "probably slower, but perhaps by no more than the tolerance" in failure.text


def test_what_was_not_run_is_skipped_with_the_reason() -> None:
    assert case(read(runs_junit(RUNS["failed"])), "leave").findtext("skipped") == "an earlier step ended the journey"
    cancelled = case(read(runs_junit(RUNS["cancelled"])), "whole journey")
    assert cancelled.findtext("skipped") == "cancelled: it waited longer than max_delay"


def test_a_failure_outside_of_all_steps_is_the_journeys() -> None:
    assert case(read(runs_junit(RUNS["no step"])), "whole journey").find("error").get("message") == (
        "the browser could not be started"
    )
    assert case(read(smoke_junit(SMOKES["no steps"])), "whole journey", "bare").find("failure") is not None


def test_a_step_that_failed_before_it_was_ever_measured_has_a_case() -> None:
    failed = SMOKES["failed"].journeys[0]
    without = replace(SMOKES["failed"], journeys=(replace(failed, steps=failed.steps[:1]),))
    assert case(read(smoke_junit(without)), "pay").find("failure") is not None


def test_several_failures_of_a_step_are_one_with_all_texts() -> None:
    failure = case(read(smoke_junit(hostile_smoke("pay"))), "pay", "pay").find("failure")
    assert failure.get("type") == "assertion"
    for part in ("over the budget of 0.100 s", " % slower than main (", "at pay:1: pay"):
        assert part in failure.text


def test_properties_hold_place_environment_and_figures() -> None:
    found = properties(read(smoke_junit(SMOKES["passed"])))
    assert (found["file"], found["line"], found["smoke"], found["verdict"]) == ("/repo/journeys/buy.py", "6", SMOKE, "passed")
    assert (found["open the shop.latency.median"], found["pay.bytes.median"]) == ("0.121038", "13400")
    assert found["browser"] == "chromium 156"
    of_run = properties(read(runs_junit(RUNS["flaky"])))
    assert (of_run["run"], of_run["status"], of_run["pay.wall"]) == (RUN, "passed at attempt 2 (flaky)", "0.6")


def test_two_runs_of_a_journey_have_cases_of_different_names() -> None:
    names = [one.get("name") for one in read(runs_junit([run(), run()])).xpath("//testcase")]
    assert names[:4] == ["open the shop (run 1)", "pay (run 1)", "leave (run 1)", "open the shop (run 2)"]


def test_picture_and_trace_are_attached_where_the_runs_are_in_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = case(read(runs_junit([run("failed", tmp_path / "runs" / "buy" / "x")])), "pay").findtext("system-out")
    assert output.splitlines() == [
        "[[ATTACHMENT|runs/buy/x/screenshots/pay.png]]",
        "[[ATTACHMENT|runs/buy/x/trace.zip]]",
    ]


@pytest.mark.long
@given(texts)
def test_whatever_a_page_says_it_is_xml(text: str) -> None:
    read(smoke_junit(hostile_smoke(text)))
    read(runs_junit([hostile_run(text)]))


def test_text_is_kept_but_for_what_xml_cannot_hold() -> None:
    failure = read(runs_junit([hostile_run("a <b> & \x00 \x1b[31m ]]> ü 🍵\tc")])).find(".//failure")
    assert failure.get("message") == "a <b> & \ufffd \ufffd[31m ]]> ü 🍵\tc"
