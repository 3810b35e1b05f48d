"""What a step receives, by host, type and party: counted from what the browser says anyway."""

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reports.formats.html.run import render_run
from runner import measures
from runner.archive.archive import Saved
from runner.errors import ConfigError
from runner.network.registrable_domain import find_party
from runner.page import weight
from runner.page.weight import Received, sum_up
from runner.result import Requests, StepResult, Weight
from runner.settings.load_settings import load_settings
from runner.settings.sections import budgets
from tests.conftest import Monitor
from tests.pages import Page, answer, serving_pages

SCRIPT = b"var x = 1;\n" * 2000


def _script(request: BaseHTTPRequestHandler) -> None:
    answer(request, gzip.compress(SCRIPT), kind="text/javascript", Content_Encoding="gzip")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A page with a compressed script, a picture, and a script of another host."""
    other = "<script>const s = document.createElement('script'); document.head.append(s)</script>"
    other = other.replace("; document", "; s.src = `http://localhost:${location.port}/other.js`; document")
    pages: dict[str, Page] = {
        "/": f"<p>hello</p><script src='/own.js'></script><img src='/a.png'>{other}",
        "/own.js": _script,
        "/other.js": lambda request: answer(request, b"document.title = 'came'", kind="text/javascript"),
        "/a.png": lambda request: answer(request, b"x" * 300, kind="image/png"),
    }
    with serving_pages(pages) as address:
        yield address


def test_a_step_has_what_it_received_by_type_and_party(monitor: Monitor, site: str) -> None:
    code = "@journey\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n        page.wait_for_function('document.title')\n"
    result = monitor.run(code, base_url=site)
    assert result.status == "passed", result.failure
    (step,) = result.steps
    assert {(one.host, one.type, one.party, one.requests) for one in step.requests.weight} == {
        (urlsplit(site).hostname, "document", "first", 1),
        (urlsplit(site).hostname, "script", "first", 1),
        (urlsplit(site).hostname, "image", "first", 1),
        ("localhost", "script", "third", 1),
    }
    figures = measures.measure_step(step)
    assert figures["script.decoded_bytes"] == len(SCRIPT) + len(b"document.title = 'came'")
    assert figures["script.bytes"] < len(SCRIPT) / 10
    assert (figures["third_party.requests"], figures["first_party.requests"], figures["requests"]) == (1, 3, 4)
    parts = [value for name, value in figures.items() if name.endswith(".bytes") and "party" not in name]
    assert sum(parts) == figures["first_party.bytes"] + figures["third_party.bytes"] == figures["bytes"]
    shown = render_run(Saved(result, monitor.saved())).decode()
    assert "by type: script" in shown
    assert "third parties: 1 request" in shown


@pytest.mark.parametrize(
    ("host", "first", "party"),
    [
        ("shop.example", "shop.example", "first"),
        ("cdn.shop.example", "shop.example", "first"),
        ("cdn.shop.example", "www.shop.example", "first"),
        ("b.co.uk", "a.co.uk", "third"),
        ("cdn.a.co.uk", "www.a.co.uk", "first"),
        ("one.github.io", "two.github.io", "third"),
        ("ads.test", "shop.example", "third"),
        ("localhost", "127.0.0.1", "third"),
        ("10.0.0.1", "0.0.0.1", "third"),
    ],
)
def test_the_party_is_known_by_the_registrable_domain(host: str, first: str, party: str) -> None:
    assert find_party(host, first) == party


def test_more_hosts_than_are_kept_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight, "MOST", 2)
    found = sum_up([Received(f"https://h{n}.test/", "script", 100 + n, n or None) for n in range(5)], "shop.example")
    assert [one.host for one in found] == ["h4.test", "h3.test", ""]
    assert found[-1] == Weight(type="script", party="third", requests=3, transfer_bytes=303, decoded_bytes=3)


def test_what_is_not_known_is_absent() -> None:
    def figures(requests: Requests) -> dict[str, float]:
        return measures.measure_step(StepResult(name="a", index=0, status="passed", requests=requests))

    earlier = figures(Requests(ok=2, transfer_bytes=10))
    assert "script.bytes" not in earlier
    assert "decoded_bytes" not in earlier
    nothing = figures(Requests())
    assert (nothing["script.bytes"], nothing["third_party.bytes"], nothing["decoded_bytes"]) == (0, 0, 0)
    unknown = figures(Requests(ok=1, weight=(Weight(host="a.shop.example", type="script", requests=1, transfer_bytes=5),)))
    assert unknown["script.bytes"] == 5
    assert "third_party.bytes" not in unknown
    assert "decoded_bytes" not in unknown


def test_budgets_of_weight_are_written_with_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "journey.toml"
    file.write_text('[budgets]\n"buy/*" = { "third_party.bytes" = "100kB", script.bytes_p95 = "1MB", font.requests = 2 }\n')
    found = load_settings(tmp_path, {}, {}).budgets
    assert [(one.figure, one.statistic, one.bound) for one in found] == [
        ("third_party.bytes", "median", 100_000),
        ("script.bytes", "p95", 1_000_000),
        ("font.requests", "median", 2),
    ]
    monkeypatch.setattr(budgets, "is_list_installed", lambda: False)
    with pytest.raises(ConfigError, match=r"third_party\.bytes needs the package publicsuffixlist"):
        load_settings(tmp_path, {}, {})
