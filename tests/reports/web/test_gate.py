"""What stands before every page: names of the server, forms of other sites, roles, sizes, and headers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reports.web.access.trusted_hosts import TrustedHosts
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, bearer, hashed, users
from tests.support.services.dashboard import TOKEN, Visited, made

__all__ = ["hashed", "users"]
Start = Callable[..., Visited]
PAGES = (
    "/",
    "/runs",
    "/journeys/buy",
    "/api/v1",
    "/api/v1/openapi.json",
    "/api/v1/overview",
    "/static/style.css",
    "/viewer/index.html",
    "/viewer/sw.bundle.js",
)
ERRORS = (
    "/nothing",
    "/runs/none",
    "/journeys/none",
    "/artifacts/999",
    "/static/none",
    "/viewer/none",
    "/runs?range=x",
    "/api/v1/nothing",
    "/api/v1/runs?x=1",
    "/api/v1/runs/none",
    "/line%0Abreak",
    "/" + "x" * 2000,
    "/?" + "x" * 5000,
)


@pytest.fixture(scope="module")
def shown(lasting: Callable[[str], Start]) -> Visited:
    """An open dashboard with a run, which tests only look at."""
    served = lasting("shown")()
    served.store.add(made(journey="buy"))
    return served


# The name under which it answers


ELSEWHERE = [
    "evil.example",
    "evil.example:8321",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.0.2.1",
    "",
    "127.0.0.1@evil.example",
    "evil.example/127.0.0.1",
    "127.0.0.1:80:80",
    "127.0.0.1:x",
    "[::1",
    "x" * 3000,
]
"""Names of hosts that are not this machine's."""


def test_a_name_of_somebody_else_that_points_here_is_refused(shown: Visited) -> None:
    assert b"/journeys/buy" in shown.get("/").body
    for host in ELSEWHERE:
        for path in ("/", "/api/v1/overview", "/static/page.js", "/metrics"):
            answer = shown.get(path, host=host)
            assert answer.status in {400, 421}, (host, path)
            assert b"buy" not in answer.body, (host, path)


@pytest.mark.parametrize("host", ["localhost", "localhost:8321", "127.0.0.1", "127.1.2.3:99", "[::1]:8321", "shop.localhost"])
def test_the_names_of_this_machine_are_answered(shown: Visited, host: str) -> None:
    assert shown.get("/", host=host).status == 200


@pytest.mark.long
def test_the_public_address_is_answered_too(dashboard: Start) -> None:
    served = dashboard({"JOURNEY_PUBLIC_URL": "https://monitor.example:8443/journeys"})
    assert served.get("/", host="monitor.example:8443").status == 200
    assert served.get("/", host="Monitor.Example.").status == 200
    assert served.get("/", host="other.example").status == 421


def test_where_others_can_reach_it_an_address_is_a_name_and_a_foreign_name_is_not() -> None:
    hosts = TrustedHosts("0.0.0.0:8321")
    assert "192.0.2.7:8321" in hosts
    assert "[2001:db8::1]:8321" in hosts
    assert "evil.example" not in hosts
    assert "monitor.example" in TrustedHosts("monitor.example:80")
    assert None not in hosts


# Forms


@pytest.fixture
def operator(dashboard: Start) -> tuple[Visited, str]:
    """A dashboard, and the cookie of somebody who may operate."""
    served = dashboard(WITH_TOKEN)
    served.store.add(made())
    return served, served.sign_in(token=TOKEN)


def paused(served: Visited) -> bool:
    from datetime import UTC, datetime

    return bool(served.store.pauses.active(datetime.now(UTC)))


@pytest.mark.long
def test_a_form_of_the_journeys_page_pauses_and_resumes_it(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    answer = served.post("/journeys/buy/pause", {"for": "1h", "reason": "the bank moves"}, cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/journeys/buy#operate")
    page = served.get("/journeys/buy", cookie=cookie).body.decode()
    assert "the bank moves (token)" in page
    assert "/journeys/buy/resume" in page
    assert served.post("/journeys/buy/resume", {}, cookie=cookie).status == 303
    assert not paused(served)


@pytest.mark.long
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"for": "soon"}, "for: "),
        ({"for": "0s"}, "for: "),
        ({"for": "9" * 300 + "d"}, "for: "),
        ({"reason": "x" * 201}, "reason: "),
    ],
)
def test_a_pause_that_makes_no_sense_is_not_made(operator: tuple[Visited, str], fields: dict[str, str], why: str) -> None:
    served, cookie = operator
    answer = served.post("/journeys/buy/pause", fields, cookie=cookie)
    assert (answer.status, why in answer.body.decode()) == (400, True)
    assert not paused(served)


def test_only_a_journey_that_is_known_is_paused_and_no_other_with_it(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    assert served.post("/journeys/none/pause", {}, cookie=cookie).status == 404
    served.store.add(made(journey="*"))
    assert served.post("/journeys/*/pause", {}, cookie=cookie).status == 400
    assert not paused(served)


FORGED: list[dict[str, str]] = [
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"sec_fetch_site": "same-origin", "origin": "http://evil.example"},
    {"sec_fetch_site": "SAME-ORIGIN "},
    {"sec_fetch_site": ""},
    {"origin": "http://127.0.0.1:1"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://localhost"},
    {"origin": "http://[::1"},
    {"origin": "127.0.0.1"},
]
"""Headers of forms that no page of the dashboard has sent."""


def test_a_form_that_another_site_sends_does_nothing(operator: tuple[Visited, str], dashboard: Start) -> None:
    served, cookie = operator
    open_one = dashboard()
    for headers in FORGED:
        assert served.post("/journeys/buy/pause", {}, cookie=cookie, **headers).status == 403, headers
        # Nor can it sign somebody in as somebody else.
        answer = served.post("/sign-in", {"token": TOKEN}, **headers)
        assert (answer.status, "set-cookie" in answer.headers) == (403, False), headers
        assert open_one.post("/journeys/buy/pause", {}, **headers).status == 403, headers
    assert not paused(served)


@pytest.mark.long
def test_a_request_that_does_not_say_which_page_sent_it_does_nothing(operator: tuple[Visited, str], dashboard: Start) -> None:
    served, cookie = operator
    form = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/journeys/buy/pause", "/sign-out"):
        answer = served.request("POST", path, b"", {**form, "cookie": cookie})
        assert (answer.status, "neither Sec-Fetch-Site nor Origin" in answer.body.decode()) == (403, True), path
    # A program signs in with a name and a password, or the token, of its own.
    answer = served.request("POST", "/sign-in", f"token={TOKEN}".encode(), form)
    assert (answer.status, "set-cookie" in answer.headers) == (303, True)
    assert dashboard().request("POST", "/journeys/buy/pause", b"", form).status == 403
    assert served.get("/", cookie=cookie).status == 200
    assert not paused(served)


def test_each_of_the_two_headers_is_enough(dashboard: Start) -> None:
    served = dashboard()
    served.store.add(made())
    # A browser sends no Sec-Fetch-Site to http on another machine; an old one sends Origin alone everywhere.
    for headers in ({"origin": served.address}, {"sec_fetch_site": "same-origin"}):
        assert served.post("/journeys/buy/pause", {}, **headers).status == 303
        assert paused(served)
        assert served.post("/journeys/buy/resume", {}, **headers).status == 303
        assert not paused(served)


def test_the_origin_behind_a_proxy_is_that_of_the_public_url_or_of_the_host(dashboard: Start) -> None:
    served = dashboard({**WITH_TOKEN, "JOURNEY_PUBLIC_URL": "https://monitor.example:443/watch"})
    for host in (f"127.0.0.1:{served.port}", "monitor.example"):
        assert served.post("/sign-in", {"token": TOKEN}, host=host, origin="https://monitor.example").status == 303, host
        assert served.post("/sign-in", {"token": TOKEN}, host=host, origin="https://Monitor.Example:443").status == 303, host
        assert served.post("/sign-in", {"token": TOKEN}, host=host, origin="https://monitor.example:8443").status == 403, host
        # Whoever is on the way could have written a page of the same name that came by http.
        assert served.post("/sign-in", {"token": TOKEN}, host=host, origin="http://monitor.example").status == 403, host
    assert served.post("/sign-in", {"token": TOKEN}, host=f"127.0.0.1:{served.port}", origin=served.address).status == 303


def test_a_trusted_proxy_says_that_it_is_https(dashboard: Start) -> None:
    served = dashboard({**WITH_TOKEN, "JOURNEY_TRUSTED_PROXIES": "127.0.0.1"})
    secure = served.address.replace("http:", "https:")
    assert served.post("/sign-in", {"token": TOKEN}, x_forwarded_proto="https", origin=secure).status == 303
    assert served.post("/sign-in", {"token": TOKEN}, x_forwarded_proto="https", origin=served.address).status == 403
    assert served.post("/sign-in", {"token": TOKEN}, origin=secure).status == 303, "the proxy may not say it"


def test_a_program_with_the_token_needs_no_form(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    served.store.add(made())
    assert served.request("POST", "/journeys/buy/pause", b"", bearer()).status == 303
    assert paused(served)


def test_looking_never_changes_anything(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = served.request(method, "/journeys/buy/pause?for=1h", None, {"cookie": cookie})
        assert answer.status in {403, 405}, method
    assert not paused(served)


# Roles


@pytest.mark.long
def test_who_may_only_look_is_shown_no_form_and_changes_nothing(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    served.store.add(made())
    bob = served.sign_in(name="bob", password=PASSWORD)
    page = served.get("/journeys/buy", cookie=bob)
    assert page.status == 200
    assert b"/journeys/buy/pause" not in page.body
    answer = served.post("/journeys/buy/pause", {}, cookie=bob)
    assert (answer.status, "bob has the role `view` and cannot change anything" in answer.body.decode()) == (403, True)
    assert served.post("/journeys/buy/resume", {}, cookie=bob).status == 403
    assert not paused(served)
    assert served.post("/sign-out", {}, cookie=bob).status == 303


# Sizes


def test_what_is_too_long_is_refused(operator: tuple[Visited, str]) -> None:
    served, cookie = operator
    assert served.get("/" + "x" * 2000, cookie=cookie).status == 414
    assert served.get("/runs?journey=" + "x" * 5000, cookie=cookie).status == 414
    assert served.get("/runs?" + "a&" * 2000, cookie=cookie).status in {200, 400}
    assert served.get("/", cookie=cookie, x_long="x" * 40_000).status == 431
    assert served.get("/", cookie="a=b;" * 9_000).status == 431
    assert served.post("/journeys/buy/pause", {"reason": "x" * 20_000}, cookie=cookie).status == 413
    many = {f"field{number}": "x" for number in range(100)}
    assert served.post("/journeys/buy/pause", many, cookie=cookie).status == 400
    assert served.post("/sign-in", {"token": "x" * 20_000}).status == 413
    json = {"cookie": cookie, "content-type": "application/json", "sec-fetch-site": "same-origin"}
    assert served.request("POST", "/journeys/buy/pause", b'{"for": "1h"}', json).status == 415
    assert (
        served.request(
            "POST",
            "/sign-in",
            b"token=\xff%ff",
            {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"},
        ).status
        == 400
    )
    assert not paused(served)


@pytest.mark.parametrize(
    "query",
    ["range=-1h", "range=1000d", "range=" + "9" * 400 + "d", "from=x", "from=2026-01-02&to=2026-01-01", "from=0001-01-01"],
)
def test_a_span_that_there_is_not_is_refused_by_name(shown: Visited, query: str) -> None:
    for path in ("/", "/runs", "/journeys/buy", "/api/v1/runs"):
        answer = shown.get(f"{path}?{query}")
        assert answer.status == 400, path
        assert query.partition("=")[0] in answer.body.decode()


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "2026-02-30"])
def test_a_time_that_there_is_not_is_refused_by_name(shown: Visited, moment: str) -> None:
    for query in (f"from={moment}", f"from=2026-01-01&to={moment}"):
        answer = shown.get(f"/api/v1/runs?{query}")
        assert answer.status == 400, query
        assert answer.json()["parameter"] in {"from", "to"}


@pytest.mark.parametrize("number", ["0", "9" * 18, "9" * 19, "1" + "0" * 40, "-1", "1%0A"])
def test_a_number_of_nothing_is_not_found(shown: Visited, number: str) -> None:
    for path in (f"/artifacts/{number}", f"/artifacts/1/frames/{number}", f"/replays/chunks/{number}"):
        assert shown.get(path).status == 404, path


# Headers


@pytest.mark.long
def test_every_answer_is_inert_and_cannot_be_framed_elsewhere(shown: Visited) -> None:
    for path in (*PAGES, *ERRORS):
        headers = shown.get(path).headers
        policy = headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "SAMEORIGIN", path
        assert "frame-ancestors 'self'" in policy, path
        assert "default-src 'none'" in policy or ("object-src 'none'" in policy and path.startswith("/viewer/")), path
        assert "base-uri 'none'" in policy, path
        script = policy.partition("script-src ")[2].partition(";")[0]
        assert "unsafe" not in script, path
        assert "*" not in policy, path
        assert "http:" not in policy, path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert headers["cache-control"] in {"no-store", "no-cache"}, path
        assert "access-control-allow-origin" not in headers, path


def test_refusals_of_the_gate_have_the_same_headers(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    answers = [
        served.get("/"),
        served.get("/sign-in"),
        served.get("/api/v1/runs"),
        served.get("/", host="evil.example"),
        served.post("/sign-in", {"token": "wrong"}),
        served.post("/sign-out", {}),
        served.request("DELETE", "/", None, bearer()),
        served.get("/metrics", accept="*/*"),
    ]
    assert [one.status for one in answers] == [303, 200, 401, 421, 401, 303, 405, 401]
    for answer in answers:
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_page_that_breaks_tells_nobody_why(dashboard: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr("reports.web.view_models.overview.History", broken)
    served = dashboard()
    for path in ("/", "/api/v1/overview"):
        answer = served.get(path)
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "application/problem+json"
