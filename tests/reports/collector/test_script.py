"""The agent, as pages load it."""

import gzip
from collections.abc import Callable
from pathlib import Path

from tests.support.services.collector import CONFIGURATION, Served


def test_any_page_may_load_the_agent_and_keep_it(served: Callable[..., Served], tmp_path: Path) -> None:
    script = tmp_path / "agent.js"
    script.write_text("console.log('agent')")
    collector = served(CONFIGURATION, script)
    answer = collector.request("GET", "/agent.js", origin="https://anyone.example")
    assert (answer.status, answer.body) == (200, script.read_bytes())
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "max-age=86400" in answer.headers["cache-control"]
    packed = collector.request("GET", "/agent.js", accept_encoding="gzip, br")
    assert gzip.decompress(packed.body) == script.read_bytes()
    for tag in (answer.headers["etag"], f"W/{answer.headers['etag']}", '"x", ' + answer.headers["etag"]):
        known = collector.request("GET", "/agent.js", if_none_match=tag)
        assert (known.status, known.body) == (304, b"")
    assert collector.request("GET", "/agent.js", if_none_match='"old"').status == 200
    assert collector.request("HEAD", "/agent.js").status == 200


def test_what_traces_requests_is_served_in_the_same_way(served: Callable[..., Served], tmp_path: Path) -> None:
    answer = served(CONFIGURATION).request("GET", "/trace.js")
    assert (answer.status, b"traceparent" in answer.body) == (200, True)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_an_agent_that_is_not_built_is_told_of(served: Callable[..., Served], tmp_path: Path) -> None:
    answer = served(CONFIGURATION, tmp_path / "none.js").request("GET", "/agent.js")
    assert (answer.status, answer.json()["fix"]) == (404, "install the package again (docs/install.md), which builds it")


def test_an_address_that_does_not_exist_is_told_of(collector: Served) -> None:
    answer = collector.request("GET", "/<script>")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    assert collector.request("GET", "/healthz").body == b"ok\n"
