"""What stands before every page: names of the server, forms of other sites, roles, sizes, and headers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reports.web.access.trusted_hosts import Hosts
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, bearer, form_token, hashed, users
from tests.support.dashboard import TOKEN, Visited, made

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


@pytest.mark.parametrize(
    "host",
    [
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
    ],
)
def test_a_name_of_somebody_else_that_points_here_is_refused(shown: Visited, host: str) -> None:
    assert b"/journeys/buy" in shown.get("/").body
    for path in ("/", "/api/v1/overview", "/static/page.js", "/metrics"):
        answer = shown.get(path, host=host)
        assert answer.status in {400, 421}, path
        assert b"buy" not in answer.body


@pytest.mark.parametrize("host", ["localhost", "localhost:8321", "127.0.0.1", "127.1.2.3:99", "[::1]:8321", "shop.localhost"])
def test_the_names_of_this_machine_are_answered(shown: Visited, host: str) -> None:
    assert shown.get("/", host=host).status == 200


def test_the_public_address_is_answered_too(dashboard: Start) -> None:
    served = dashboard({"JOURNEY_PUBLIC_URL": "https://monitor.example:8443/journeys"})
    assert served.get("/", host="monitor.example:8443").status == 200
    assert served.get("/", host="Monitor.Example.").status == 200
    assert served.get("/", host="other.example").status == 421


def test_where_others_can_reach_it_an_address_is_a_name_and_a_foreign_name_is_not() -> None:
    hosts = Hosts("0.0.0.0:8321")
    assert "192.0.2.7:8321" in hosts
    assert "[2001:db8::1]:8321" in hosts
    assert "evil.example" not in hosts
    assert "monitor.example" in Hosts("monitor.example:80")
    assert None not in hosts


# Forms


@pytest.fixture
def operator(dashboard: Start) -> tuple[Visited, str, str]:
    """A dashboard, the cookie of somebody who may operate, and the token of their forms."""
    served = dashboard(WITH_TOKEN)
    served.store.add(made())
    cookie = served.sign_in(token=TOKEN)
    return served, cookie, form_token(served.get("/journeys/buy", cookie=cookie).body)


def paused(served: Visited) -> bool:
    from datetime import UTC, datetime

    return bool(served.store.pauses.active(datetime.now(UTC)))


def test_a_form_of_the_journeys_page_pauses_and_resumes_it(operator: tuple[Visited, str, str]) -> None:
    served, cookie, token = operator
    answer = served.post("/journeys/buy/pause", {"form_token": token, "for": "1h", "reason": "the bank moves"}, cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/journeys/buy#operate")
    page = served.get("/journeys/buy", cookie=cookie).body.decode()
    assert "the bank moves (token)" in page
    assert "/journeys/buy/resume" in page
    assert served.post("/journeys/buy/resume", {"form_token": token}, cookie=cookie).status == 303
    assert not paused(served)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"for": "soon"}, "for: "),
        ({"for": "0s"}, "for: "),
        ({"for": "9" * 300 + "d"}, "for: "),
        ({"reason": "x" * 201}, "reason: "),
    ],
)
def test_a_pause_that_makes_no_sense_is_not_made(operator: tuple[Visited, str, str], fields: dict[str, str], why: str) -> None:
    served, cookie, token = operator
    answer = served.post("/journeys/buy/pause", {"form_token": token, **fields}, cookie=cookie)
    assert (answer.status, why in answer.body.decode()) == (400, True)
    assert not paused(served)


def test_only_a_journey_that_is_known_is_paused_and_no_other_with_it(operator: tuple[Visited, str, str]) -> None:
    served, cookie, token = operator
    assert served.post("/journeys/none/pause", {"form_token": token}, cookie=cookie).status == 404
    served.store.add(made(journey="*"))
    assert served.post("/journeys/*/pause", {"form_token": token}, cookie=cookie).status == 400
    assert not paused(served)


@pytest.mark.parametrize("token", [None, "", "wrong", "a" * 64, "\u00e4"])
def test_a_form_without_the_right_token_does_nothing(operator: tuple[Visited, str, str], token: str | None) -> None:
    served, cookie, _ = operator
    fields = {} if token is None else {"form_token": token}
    assert served.post("/journeys/buy/pause", fields, cookie=cookie).status == 403
    assert served.post("/sign-out", fields, cookie=cookie).status == 403
    assert not paused(served)


def test_the_token_of_one_person_is_none_for_another(operator: tuple[Visited, str, str]) -> None:
    served, _, token = operator
    other = served.sign_in(token=TOKEN)
    assert served.post("/journeys/buy/pause", {"form_token": token}, cookie=other).status == 403
    assert not paused(served)


def test_the_token_does_not_tell_the_cookie(operator: tuple[Visited, str, str]) -> None:
    _, cookie, token = operator
    assert token not in cookie
    assert cookie.partition("=")[2] not in token


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"sec_fetch_site": "same-origin", "origin": "http://evil.example"},
    ],
)
def test_a_form_that_another_site_sends_does_nothing(
    operator: tuple[Visited, str, str], dashboard: Start, headers: dict[str, str]
) -> None:
    served, cookie, token = operator
    assert served.post("/journeys/buy/pause", {"form_token": token}, cookie=cookie, **headers).status == 403
    # Nor can it sign somebody in as somebody else.
    answer = served.post("/sign-in", {"token": TOKEN}, **headers)
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)
    open_one = dashboard()
    token = form_token(open_one.get("/journeys/buy").body)
    assert open_one.post("/journeys/buy/pause", {"form_token": token}, **headers).status == 403
    assert not paused(served)


def test_on_an_open_dashboard_too_a_form_brings_its_token(dashboard: Start) -> None:
    served = dashboard()
    served.store.add(made())
    assert served.post("/journeys/buy/pause", {}).status == 403
    token = form_token(served.get("/journeys/buy").body)
    origin = served.address
    assert served.post("/journeys/buy/pause", {"form_token": token}, origin=origin, sec_fetch_site="same-origin").status == 303
    assert paused(served)


def test_a_program_with_the_token_needs_no_form(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    served.store.add(made())
    assert served.request("POST", "/journeys/buy/pause", b"", bearer()).status == 303
    assert paused(served)


def test_looking_never_changes_anything(operator: tuple[Visited, str, str]) -> None:
    served, cookie, token = operator
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = served.request(method, f"/journeys/buy/pause?form_token={token}", None, {"cookie": cookie})
        assert answer.status in {403, 405}, method
    assert not paused(served)


# Roles


def test_who_may_only_look_is_shown_no_form_and_changes_nothing(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    served.store.add(made())
    bob = served.sign_in(name="bob", password=PASSWORD)
    page = served.get("/journeys/buy", cookie=bob)
    assert page.status == 200
    assert b"/journeys/buy/pause" not in page.body
    token = form_token(page.body)
    answer = served.post("/journeys/buy/pause", {"form_token": token}, cookie=bob)
    assert (answer.status, "bob may look, but not change anything" in answer.body.decode()) == (403, True)
    assert served.post("/journeys/buy/resume", {"form_token": token}, cookie=bob).status == 403
    assert not paused(served)
    assert served.post("/sign-out", {"form_token": token}, cookie=bob).status == 303


# Sizes


def test_what_is_too_long_is_refused(operator: tuple[Visited, str, str]) -> None:
    served, cookie, token = operator
    assert served.get("/" + "x" * 2000, cookie=cookie).status == 414
    assert served.get("/runs?journey=" + "x" * 5000, cookie=cookie).status == 414
    assert served.get("/runs?" + "a&" * 2000, cookie=cookie).status in {200, 400}
    assert served.get("/", cookie=cookie, x_long="x" * 40_000).status == 431
    assert served.get("/", cookie="a=b;" * 9_000).status == 431
    form = {"form_token": token}
    assert served.post("/journeys/buy/pause", {**form, "reason": "x" * 20_000}, cookie=cookie).status == 413
    many = {f"field{number}": "x" for number in range(100)}
    assert served.post("/journeys/buy/pause", {**form, **many}, cookie=cookie).status == 400
    assert served.post("/sign-in", {"token": "x" * 20_000}).status == 413
    json = {"cookie": cookie, "content-type": "application/json"}
    assert served.request("POST", "/journeys/buy/pause", b'{"form_token": "x"}', json).status == 415
    assert (
        served.request("POST", "/sign-in", b"token=\xff%ff", {"content-type": "application/x-www-form-urlencoded"}).status
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


# Headers


def test_every_answer_is_inert_and_cannot_be_framed_elsewhere(shown: Visited) -> None:
    for path in (*PAGES, *ERRORS):
        headers = shown.get(path).headers
        policy = headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "SAMEORIGIN", path
        assert "frame-ancestors 'self'" in policy, path
        assert "default-src 'none'" in policy or path.startswith("/viewer/"), path
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

    monkeypatch.setattr("reports.web.view_models.overview.overview", broken)
    served = dashboard()
    for path in ("/", "/api/v1/overview"):
        answer = served.get(path)
        assert answer.status == 500
        assert b"secret" not in answer.body
        assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "application/problem+json"
