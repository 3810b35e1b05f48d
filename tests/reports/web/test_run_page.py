"""The page of a run: the runs around it, what is different, and its pictures."""

from collections.abc import Callable

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from runner.accessibility import SIGNAL, AffectedElement, Audit, Violation
from runner.result import Artifact, Request, Requests, RunResult
from runner.telemetry.spans import build_spans
from runner.telemetry.trace_ids import trace_id
from tests.support.services.dashboard import Visited, made


def page_of(served: Visited, run: RunResult) -> str:
    return served.get(f"/runs/{run.id}").body.decode()


def test_a_failed_run_says_since_when_and_links_the_runs_around_it(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    passed, first, second, again = runs = [
        made(ago=400.0),
        made(ago=300.0, status="failed"),
        made(ago=200.0, status="failed"),
        made(ago=100.0),
    ]
    for one in runs:
        served.store.add(one)
    page = page_of(served, second)
    assert f'Failing since</strong> <a href="/runs/{first.id}">' in page
    assert f'last passed <a href="/runs/{passed.id}">' in page
    assert f'passed again <a href="/runs/{again.id}">' in page
    assert f'<a href="/runs/{first.id}" rel="prev">' in page
    assert f'<a href="/runs/{again.id}" rel="next">' in page
    assert "The first run that failed" in page_of(served, first)
    assert "Failing since" not in page_of(served, again)
    assert "the latest run" in page_of(served, again)


def test_what_was_not_kept_of_a_passed_run_is_said_last(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    run = made()
    served.store.add(run, served.archive.save(run, served.archive.scratch(run.id)))
    page = page_of(served, run)
    assert 'id="pictures"' not in page
    assert page.index("No pictures were kept") > page.index('id="steps"')


def test_the_picture_of_the_failure_is_shown_once_and_the_paragraph_has_the_facts(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    before = made(ago=900.0, release="1.7")
    served.store.add(before, served.archive.save(before, served.archive.scratch(before.id)))
    shot = Artifact(kind="screenshot", path="pay.png", bytes=1, step="pay")
    run = replace(made(status="failed", release="1.8"), artifacts=(shot,))
    folder = served.archive.scratch(run.id)
    (folder / "pay.png").write_bytes(b"\x89PNG")
    served.store.add(run, served.archive.save(run, folder))
    page = page_of(served, run)
    assert page.count("<img ") == 1
    assert "The last passed run was of release 1.7, this one is of release 1.8." in page
    assert '<svg class="bar failed"' in page


def test_each_step_and_request_links_to_its_span(dashboard: Callable[..., Visited]) -> None:
    run = made()
    request = Request(url="https://shop.example/api", method="GET", kind="fetch", at_seconds=0.1, duration_seconds=0.2)
    step = replace(run.steps[0], started_at=run.started_at, requests=Requests(ok=1, entries=(request,)))
    run = replace(run, steps=(step, run.steps[1]), trace_id=trace_id(run.id))
    served = dashboard(trace_url="https://tempo.example/trace/{trace_id}?span={span_id}")
    served.store.add(run, served.archive.save(run, served.archive.scratch(run.id)))
    page = page_of(served, run)
    spans = {one.name: one.id for one in build_spans(run)}
    for name in ("journey buy", "open", "GET"):
        assert f'href="https://tempo.example/trace/{run.trace_id}?span={spans[name]}"' in page, name
    assert "Spans of its 1 documents and requests" not in page
    without = dashboard()
    assert "tempo.example" not in page_of(without, run)
    assert run.trace_id in page_of(without, run)


def test_a_run_from_a_bundle_names_it(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    run = replace(made(), bundle="31c64073" * 8)
    served.store.add(run, served.archive.save(run, served.archive.scratch(run.id)))
    assert "31c6407331c6</span>" in page_of(served, run)
    other = made()
    served.store.add(other, served.archive.save(other, served.archive.scratch(other.id)))
    assert "bundle" not in page_of(served, other)


@pytest.mark.long
def test_a_run_without_a_trace_has_no_links_to_spans(dashboard: Callable[..., Visited]) -> None:
    served = dashboard(trace_url="https://tempo.example/trace/{trace_id}")
    run = made()
    served.store.add(run, served.archive.save(run, served.archive.scratch(run.id)))
    assert "tempo.example" not in page_of(served, run)


def test_what_was_found_of_accessibility_is_shown_with_pictures_that_are_still_there(dashboard: Callable[..., Visited]) -> None:
    def found(name: str) -> Violation:
        element = AffectedElement(target="#a", path="html > a", html=f"<{name}>", picture=f"accessibility/{name}.png")
        return Violation(rule=name, impact="serious", help=f"No {name}", count=1, elements=(element,))

    served = dashboard()
    run = made()
    audit = Audit(violations=(found("kept"), found("removed")), problems=("not checked, as it took too long: label",))
    shot = Artifact(kind="accessibility", path="accessibility/kept.png", bytes=1, step=run.steps[0].name)
    steps = (replace(run.steps[0], signals={SIGNAL: to_builtins(audit)}), *run.steps[1:])
    run = replace(run, steps=steps, artifacts=(shot, replace(shot, path="accessibility/removed.png")))
    folder = served.archive.scratch(run.id)
    (folder / "accessibility").mkdir()
    (folder / shot.path).write_bytes(b"\x89PNG")
    served.store.add(run, served.archive.save(run, folder))
    page = page_of(served, run)
    part = page[page.index('id="accessibility"') :]
    assert "2 serious in 2 rules; not checked, as it took too long: label" in part
    assert "&lt;removed&gt;" in part
    assert part.count("<img ") == 1
    assert 'id="pictures"' not in page
