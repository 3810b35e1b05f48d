"""How checks are declared, found and planned."""

import sys
from pathlib import Path

import pytest

from runner.checks.protocols.protocol_client import ProtocolClient
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.dsl.protocols import registry
from runner.dsl.protocols.registry import PROTOCOLS, Protocol
from runner.dsl.static_discovery import find_declared_journeys
from runner.errors import ConfigError, DiscoveryError
from runner.settings.load_settings import load_settings
from tests.runner.checks.conftest import RunCheck
from tests.runner.checks.servers import http_server
from tests.support.commands import run_here

SOURCE = """
from runner import check, journey

@check(every="1m", timeout="10s", tags=["edge"])
def shop_answers(http, tls, dns):
    \"\"\"Whether the shop answers.\"\"\"
    http.get("/health", status=200)
    http.post("/cart", name="put tea into the cart")
    tls.expires("shop.example", later_than="14d")
    dns.query("shop.example", "A")

@check
def built(http, params):
    http.get(params["place"])

@journey
def walk(page, step):
    with step("open"):
        page.goto("/")
"""


def test_checks_are_found_beside_journeys_with_their_steps(tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text(SOURCE)
    answers, built, walk = load_journeys(file)
    assert [one.kind for one in (answers, built, walk)] == ["check", "check", "journey"]
    assert answers.step_names == (
        "GET /health",
        "put tea into the cart",
        "expiry of shop.example",
        "query shop.example A",
    )
    assert (answers.step_lines, answers.more_steps) == ((7, 8, 9, 10), False)
    assert (built.step_names, built.more_steps) == ((), True)
    assert [(one.name, one.tags) for one in find_declared_journeys([tmp_path])] == [
        ("shop_answers", ("edge",)),
        ("built", ()),
        ("walk", ()),
    ]
    planned = plan(answers, load_settings(tmp_path, {}, {}))
    assert (planned.kind, planned.timeout) == ("check", 10.0)
    listed = run_here(tmp_path, ["list", "shop.py"], {})
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [
        ["name", "kind"],
        ["shop_answers", "check"],
        ["built", "check"],
        ["walk", "journey"],
    ]
    assert run_here(tmp_path, ["check", "shop.py"], {}).stdout == "ok: 1 journey and 2 checks in 1 file\n"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("@check(viewport='800x600')\ndef f(http): http.get('/')", "option viewport is not for checks, which have no browser; they have: name"),
        ("@check(trace='on')\ndef f(http): http.get('/')", "option trace is not for checks"),
        ("@check(ignore_https_errors=True)\ndef f(http): http.get('/')", "which always verify certificates; name an authority"),
        ("@check(tag='x')\ndef f(http): http.get('/')", "unknown option 'tag'; did you mean 'tags'?"),
        ("@journey(ca_file='x')\ndef f(page): page.goto('/')", "option ca_file is for checks only"),
        ("@check\ndef f(page): page.goto('/')", "which cannot be given; it can ask for: http, tcp, tls, dns, grpc, websocket, params, secrets"),
        ("@check\nasync def f(http): http.get('/')", "f is `async def`; checks run in threads: write `def`"),
        ("@check\ndef f(http):\n    http.get", "`http.get` is not called, so nothing is asked; write `http.get(…)`"),
        ("@check\ndef f(): pass", "f does nothing, so it would pass whatever the site does"),
        ("f = check(3)", "@check stands above a function that is written with `def`, not above int"),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_named_with_its_line(declared: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text(f"from runner import check, journey\n{declared}\n")
    with pytest.raises(DiscoveryError) as raised:
        load_journeys(file)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{file}:")


def test_a_file_of_authorities_must_exist(tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text("from runner import check\n@check(ca_file='ca.pem')\ndef f(http):\n    http.get('/')\n")
    with pytest.raises(ConfigError, match=r"shop.py:2: option ca_file: .*ca.pem does not exist"):
        plan(load_journeys(file)[0], load_settings(tmp_path, {}, {}))


def test_a_missing_package_is_named_with_the_extra_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shop.py"
    file.write_text("from runner import check\n@check\ndef f(dns, tcp):\n    tcp.connect('localhost:25')\n")
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "dns" else sys.modules[name].__spec__)
    with pytest.raises(ConfigError) as raised:
        plan(load_journeys(file)[0], load_settings(tmp_path, {}, {}))
    assert f"{file}:2: a check with the parameter 'dns' needs dnspython; install it with: pip install" in str(raised.value)
    assert "[checks]" in str(raised.value)


class Echo(ProtocolClient):
    """A protocol of the test."""

    def say(self, words: str, /, *, name: str | None = None) -> str:
        """Says it."""
        with self._steps.call("echo", "say", [words], name, None) as phases, phases.measure("transfer"):
            return words.upper()


def test_a_protocol_is_added_by_its_class_and_one_row(run_check: RunCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Protocol(name="echo", place=f"{__name__}:Echo", calls={"say": "say {}"}, phases=("transfer",))
    monkeypatch.setitem(PROTOCOLS, "echo", row)
    done = run_check("@check\ndef talk(echo):\n    assert echo.say('tea') == 'TEA'\n    echo.say('again', name='more')\n")
    steps = done.attempts[0].steps
    assert [(step.name, step.status, step.phases and list(step.phases)) for step in steps] == [
        ("say tea", "passed", ["transfer"]),
        ("more", "passed", ["transfer"]),
    ]


def test_a_proxy_of_the_environment_is_asked(run_check: RunCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "@check\ndef shop(http):\n    http.get('http://shop.example/health', contains='ok')\n"
    with http_server() as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        assert run_check(source).attempts[0].failure is None
    failure = run_check(source).attempts[0].failure
    assert failure is not None
    assert (failure.kind, "the proxy cannot be reached" in failure.message) == ("monitor", True)
    monkeypatch.setenv("no_proxy", "shop.example")
    direct = run_check(source.replace("shop.example", "127.0.0.1:1")).attempts[0].failure
    assert direct is not None
    assert direct.kind == "navigation"
