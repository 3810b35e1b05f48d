"""What users, programs and networks may do how often, what is logged of it, and what is refused without https."""

import logging
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from reports.web.access.audit import USED_AGAIN, AuditLog
from reports.web.access.authenticator import Authenticator
from reports.web.access.passwords import known_browser
from reports.web.access.request_budget import RequestBudget
from reports.web.access.users_file import User
from runner.errors import ConfigError
from runner.scheduler.metrics_endpoint import Exporter, MetricsEndpoint
from runner.settings.load_settings import load_settings
from runner.store import Store
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, Clock, bearer, hashed, users
from tests.support.services.dashboard import TOKEN, Visited, made
from tests.support.services.servers import get

__all__ = ["hashed", "users"]
Start = Callable[..., Visited]
HERE = "from 127.0.0.0/24"


@pytest.fixture
def audited(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The messages of the audit log so far."""
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    caplog.set_level(logging.INFO, "journey.audit")
    return lambda: [one.getMessage() for one in caplog.records if one.name == "journey.audit"]


@pytest.mark.long
def test_each_user_may_make_so_many_requests_per_minute_on_pages_and_api(
    dashboard: Start, users: Path, audited: Callable[[], list[str]]
) -> None:
    clock = Clock()
    served = dashboard(WITH_TOKEN | {"JOURNEY_SERVE_USERS": str(users), "JOURNEY_SERVE_REQUESTS_PER_MINUTE": "6"}, clock=clock)
    ada, bob = served.sign_in(name="ada", password=PASSWORD), served.sign_in(name="bob", password=PASSWORD)
    assert [served.get(path, cookie=ada).status for path in ("/", "/runs", "/api/v1/runs", "/nothing", "/", "/", "/")] == [
        *(200, 200, 200, 404, 200, 200, 429),
    ]
    # From another browser too, and whatever is requested; others are not concerned, and neither is what is public.
    other = served.sign_in(name="ada", password=PASSWORD)
    answer = served.get("/api/v1/runs", cookie=other)
    assert (answer.status, answer.headers["retry-after"]) == (429, "10")
    assert answer.json()["detail"] == "Too many requests per minute by ada; try again in 10 s."
    assert served.get("/static/style.css", cookie=ada).status == 200
    assert served.get("/", cookie=bob).status == 200
    assert [served.request("GET", "/metrics", None, bearer()).status for _ in range(7)] == [200] * 6 + [429]
    assert served.post("/sign-out", {}, cookie=other).status == 303
    clock.now += 10
    assert [served.get("/", cookie=ada).status for _ in range(2)] == [200, 429]
    assert f"too many requests per minute by ada; try again in 10 s, {HERE}" in audited()


def test_on_this_machine_alone_requests_are_not_counted(dashboard: Start) -> None:
    served = dashboard({"JOURNEY_SERVE_REQUESTS_PER_MINUTE": "1"})
    assert [served.get("/").status for _ in range(3)] == [200] * 3


def test_a_budget_comes_back_evenly_and_forgets_the_oldest() -> None:
    clock = Clock()
    budget = RequestBudget(60, clock, most=2)
    assert [budget.take("ada") for _ in range(61)] == [0.0] * 60 + [1.0]
    clock.now += 2.5
    assert [budget.take("ada") for _ in range(3)] == [0.0, 0.0, 0.5]
    budget.take("bob")
    budget.take("cy")
    assert len(budget) == 2


def test_the_token_and_users_of_a_proxy_are_logged_once_per_hour_with_their_number(
    dashboard: Start, audited: Callable[[], list[str]]
) -> None:
    clock = Clock()
    by_proxy = {"JOURNEY_SERVE_PROXY_USER_HEADER": "X-User", "JOURNEY_TRUSTED_PROXIES": "127.0.0.1"}
    served = dashboard(WITH_TOKEN | by_proxy, clock=clock)
    for _ in range(4):
        served.request("GET", "/metrics", None, bearer())
        served.get("/", x_user="cy")
    clock.now += USED_AGAIN
    served.request("GET", "/metrics", None, bearer())
    assert audited() == [
        f"the token was used, {HERE}",
        f"cy came through the proxy, {HERE}",
        f"the token was used (4 requests since the last line), {HERE}",
    ]


def test_the_uses_that_are_remembered_are_bounded(audited: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.web.access.audit.MOST", 10)
    audit = AuditLog(Clock())
    for number in range(50):
        audit.note_use("the token was used", user="token", network=f"10.0.{number}.0/24")
    assert len(audit._uses) == 10


def test_forged_forms_and_foreign_hosts_are_logged(dashboard: Start, audited: Callable[[], list[str]]) -> None:
    served = dashboard(WITH_TOKEN)
    served.store.add(made())
    served.get("/", host="evil.example")
    served.post("/sign-in", {"token": TOKEN}, origin="https://evil.example")
    cookie = served.sign_in(token=TOKEN)
    served.post("/journeys/buy/pause", {}, cookie=cookie, origin="https://evil.example")
    served.get(f"/?token={TOKEN}")
    served.post("/sign-in", {"token": "x" * 20_000})
    assert audited() == [
        f"a request for the host 'evil.example' was refused, {HERE}",
        f"a request was refused (403): /sign-in, {HERE}",
        f"token signed in, {HERE}",
        f"a change by token was refused (403): /journeys/buy/pause, {HERE}",
        f"a request was refused (400): /, {HERE}",
        f"a request was refused (413): /sign-in, {HERE}",
    ]


def test_a_browser_is_known_for_180_days_wherever_its_cookie_is_kept() -> None:
    ada = User("ada", "view", "$argon2id$x")
    cookie = known_browser.mark_browser(ada, 1000.0)
    assert known_browser.recognize_browser(ada, cookie, 1000.0 + known_browser.LASTS)
    assert not known_browser.recognize_browser(ada, cookie, 1001.0 + known_browser.LASTS)
    number, at, code = cookie.split(".")
    for wrong in (
        f"{number}.{int(at) + 99}.{code}",
        f"{number}.{code}",
        f"{number}.x.{code}",
        f"{number}..{code}",
        "..",
        "",
        "\xff.1.x",
    ):
        assert not known_browser.recognize_browser(ada, wrong, 1000.0), wrong
    assert not known_browser.recognize_browser(User("ada", "view", "$argon2id$y"), cookie, 1000.0)


# https


def test_with_require_https_only_what_came_by_it_is_answered(dashboard: Start, audited: Callable[[], list[str]]) -> None:
    served = dashboard(
        WITH_TOKEN
        | {
            "JOURNEY_REQUIRE_HTTPS": "yes",
            "JOURNEY_TRUSTED_PROXIES": "127.0.0.1",
            "JOURNEY_PUBLIC_URL": "https://monitor.example",
        }
    )
    answers = [
        served.get("/sign-in", x_forwarded_proto="http"),
        served.post("/sign-in", {"token": TOKEN}, x_forwarded_proto="http"),
        served.request("GET", "/metrics", None, {**bearer(), "x-forwarded-proto": "http"}),
        served.get("/static/style.css", x_forwarded_proto="https, http"),
        # A proxy that does not say how the request came.
        served.get("/sign-in", x_forwarded_for="192.0.2.1"),
        served.get("/sign-in", forwarded="for=192.0.2.1"),
    ]
    assert [one.status for one in answers] == [403] * 6
    assert "over https only" in answers[0].body.decode()
    assert f"a request was refused: it did not come by https, {HERE}" in audited()
    assert served.get("/sign-in", x_forwarded_proto="https").status == 200
    # From this machine itself, nothing crosses a network.
    assert served.get("/sign-in").status == 200
    assert served.get("/healthz", x_forwarded_proto="http").status == 200, "probes and the collector are not concerned"


def test_require_https_without_a_proxy_would_keep_everybody_out(tmp_path: Path) -> None:
    environ = WITH_TOKEN | {"JOURNEY_REQUIRE_HTTPS": "yes", "JOURNEY_SERVE_LISTEN": "0.0.0.0:8321"}
    with Store(f"sqlite:///{tmp_path / 'one.db'}") as store:
        with pytest.raises(ConfigError, match=r"require_https: no proxy is trusted.*add the network of the proxy"):
            Authenticator(load_settings(tmp_path, {}, environ), store)
        assert Authenticator(load_settings(tmp_path, {}, environ | {"JOURNEY_TRUSTED_PROXIES": "10.0.0.0/8"}), store)


# What is shown of the database, and kept of files


def test_pages_do_not_say_where_a_database_is_that_is_away(dashboard: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    served = dashboard(WITH_TOKEN)
    cookie = served.sign_in(token=TOKEN)
    served.store._engine.dispose()
    file = served.archive.folder / "journeys.db"
    content = file.read_bytes()
    file.write_bytes(b"broken" * 2000)
    try:
        for path in ("/", "/runs", "/account", "/api/v1/runs"):
            answer = served.get(path, cookie=cookie)
            assert answer.status == 503, path
            assert "the log of `journey serve` says why" in answer.body.decode(), path
            assert "journeys.db" not in answer.body.decode(), path
    finally:
        file.write_bytes(content)


@pytest.mark.real_time
def test_the_schedulers_probe_does_not_say_what_it_knows(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    trouble = ["the database postgresql://monitor@db.internal/journeys is away"]
    with MetricsEndpoint("127.0.0.1:0", Exporter(False).registry, lambda: "", lambda: trouble[0]) as endpoint:
        for _ in range(3):
            connection = HTTPConnection(endpoint.address.removeprefix("http://"), timeout=10)
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (503, b"not ready; the log says why\n")
            connection.close()
        assert [one.getMessage() for one in caplog.records] == [f"not ready: {trouble[0]}"]
        trouble[0] = ""
        assert get(f"{endpoint.address}/readyz") == "ok\n"
