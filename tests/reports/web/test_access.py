"""Who is let in, by which way, and how guesses are slowed down."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update

from reports.web.access.authenticator import Authenticator
from reports.web.access.passwords import hashing
from reports.web.access.passwords.backoff import AT_ONCE, FREE, PER_SECOND, AccountBudget, Backoff
from reports.web.access.sessions import IDLE, LASTS
from reports.web.access.users_file import User, changing_users, read_users, write_users
from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.store import Store
from runner.store.tables.runs import sign_ins
from tests.support.services.dashboard import PAGE, TOKEN, Visited, made
from tests.support.services.databases import BOTH

Start = Callable[..., Visited]
WITH_TOKEN = {"JOURNEY_SERVE_TOKEN": TOKEN}
PASSWORD = "oolong and milk"


@pytest.fixture(scope="module")
def hashed() -> Iterator[str]:
    """Argon2 with little work, so that the tests do not wait for it; nothing is hashed with more while they run."""
    from argon2 import PasswordHasher

    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_hasher", lambda: cheap)
        yield cheap.hash(PASSWORD)


@pytest.fixture
def users(tmp_path: Path, hashed: str) -> Path:
    """Ada may operate, Bob may look, Cy only comes through a proxy."""
    file = tmp_path / "users"
    write_users(
        file,
        {
            "ada": User("ada", "operate", hashed),
            "bob": User("bob", "view", hashed),
            "cy": User("cy", "operate", "-"),
        },
    )
    return file


@pytest.fixture(params=BOTH)
def with_token(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a dashboard with a token, on a store of each kind."""
    return WITH_TOKEN | (
        {"JOURNEY_DATABASE": request.getfixturevalue("postgres_copy")()} if request.param == "postgres" else {}
    )


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


# Where it listens


@pytest.mark.parametrize("address", ["0.0.0.0:8321", "[::]:8321", "192.0.2.1:80", "monitor.example:80"])
def test_other_machines_reach_it_only_when_something_says_who_may(tmp_path: Path, address: str) -> None:
    settings = load_settings(tmp_path, {"serve_listen": address}, {})
    with Store(settings.database_url) as store, pytest.raises(ConfigError, match=r"JOURNEY_SERVE_TOKEN.*journey user add"):
        Authenticator(settings, store)
    settings = load_settings(tmp_path, {"serve_listen": address}, WITH_TOKEN)
    with Store(settings.database_url) as store:
        assert not Authenticator(settings, store).open


@pytest.mark.long
def test_on_this_machine_alone_everybody_may_operate(dashboard: Start) -> None:
    served = dashboard()
    served.store.add(made())
    assert served.get("/").status == 200
    page = served.get("/journeys/buy").body.decode()
    assert "/journeys/buy/pause" in page
    assert "Sign out" not in page
    assert served.get("/sign-in").status == 404


def test_a_header_of_a_proxy_is_believed_from_nobody_unless_the_proxy_is_named(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {}, {"JOURNEY_SERVE_PROXY_USER_HEADER": "X-User"})
    with Store(settings.database_url) as store, pytest.raises(ConfigError, match="trusted_proxies"):
        Authenticator(settings, store)


@pytest.mark.parametrize("token", ["short", "has spaces in it which no header takes"])
def test_a_token_that_is_easy_to_guess_is_refused_without_being_shown(tmp_path: Path, token: str) -> None:
    with pytest.raises(ConfigError, match="JOURNEY_SERVE_TOKEN: ") as caught:
        load_settings(tmp_path, {}, {"JOURNEY_SERVE_TOKEN": token})
    assert not token or token not in str(caught.value)


def test_a_token_is_never_written_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(f"serve_token = '{TOKEN}'")
    with pytest.raises(ConfigError, match="serve_token must not be in a file that others can read"):
        load_settings(tmp_path, {}, {})
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "journey.toml").write_text("serve_token_file = 'token'")
    token = load_settings(tmp_path, {}, {}).serve_token
    assert token is not None
    assert token.reveal() == TOKEN
    assert TOKEN not in repr(load_settings(tmp_path, {}, {}))


# The token


def test_without_the_token_nothing_is_shown(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    served.store.add(made(journey="hidden_journey"))
    for path in ("/", "/runs", "/journeys/hidden_journey", "/nothing", "/viewer/index.html", "/artifacts/1", "/api/v1"):
        answer = served.get(path)
        assert answer.status == (303 if not path.startswith("/api") else 401), path
        assert b"hidden_journey" not in answer.body
    for path in ("/api/v1/overview", "/api/v1/openapi.json", "/events", "/metrics", "/artifacts/1"):
        answer = served.get(path, accept="*/*")
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"] == 'Bearer realm="journey"'
    assert served.get("/api/v1/overview").json()["status"] == 401


@pytest.mark.long
def test_the_token_in_a_header_opens_everything(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    for path in ("/", "/runs", "/api/v1/overview", "/metrics", "/viewer/index.html"):
        answer = served.request("GET", path, None, bearer())
        assert answer.status == 200, path
        assert "set-cookie" not in answer.headers
    assert served.request("GET", "/", None, bearer("another-token-that-is-long")).status == 401
    assert served.request("GET", "/", None, {"authorization": "Basic YTpi"}).status == 303


def test_a_token_in_an_address_is_not_accepted(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    for path in (f"/runs?token={TOKEN}", f"/sign-in?token={TOKEN}", f"/api/v1/overview?token={TOKEN}", "/?token="):
        answer = served.get(path)
        assert answer.status == 400, path
        assert "set-cookie" not in answer.headers
        assert TOKEN not in answer.body.decode() + str(answer.headers)
        assert b"A token must not be in an address" in answer.body


def test_signing_in_leads_nowhere_else(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "\t//evil.example", "/ok\r\nx: y", "evil"):
        answer = served.post("/sign-in", {"token": TOKEN, "next": path})
        assert (answer.status, answer.headers["location"]) == (303, "/")
    assert served.post("/sign-in", {"token": TOKEN, "next": "/runs?range=7d"}).headers["location"] == "/runs?range=7d"


@pytest.mark.long
def test_a_new_token_ends_what_was_signed_in_with_the_old_one(dashboard: Start, with_token: dict[str, str]) -> None:
    cookie = dashboard(with_token).sign_in(token=TOKEN)
    assert dashboard(with_token).get("/", cookie=cookie).status == 200
    assert (
        dashboard(with_token | {"JOURNEY_SERVE_TOKEN": "a-token-that-is-long-enough-2"}).get("/", cookie=cookie).status == 303
    )


# The cookie


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(dashboard: Start) -> None:
    answer = dashboard(WITH_TOKEN).post("/sign-in", {"token": TOKEN})
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("journey=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"} == set(flags)


def test_over_https_the_cookie_is_bound_to_the_host(dashboard: Start) -> None:
    served = dashboard({**WITH_TOKEN, "JOURNEY_PUBLIC_URL": "https://monitor.example"})
    answer = served.post("/sign-in", {"token": TOKEN}, host="monitor.example")
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-journey=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure", "Max-Age=43200"} == set(flags)
    assert served.get("/", cookie=name, host="monitor.example").status == 200
    # The name without the prefix is one that another host could have set.
    assert served.get("/", cookie=name.removeprefix("__Host-"), host="monitor.example").status == 303


def test_https_is_believed_from_a_trusted_proxy_alone(dashboard: Start) -> None:
    trusted = dashboard({**WITH_TOKEN, "JOURNEY_TRUSTED_PROXIES": "127.0.0.1"})
    assert "Secure" in trusted.post("/sign-in", {"token": TOKEN}, x_forwarded_proto="https").headers["set-cookie"]
    assert (
        "Secure"
        not in dashboard(WITH_TOKEN).post("/sign-in", {"token": TOKEN}, x_forwarded_proto="https").headers["set-cookie"]
    )


def test_the_store_holds_nothing_that_a_browser_could_be_given(dashboard: Start, with_token: dict[str, str]) -> None:
    served = dashboard(with_token)
    cookie = served.sign_in(token=TOKEN).partition("=")[2]
    with served.store.connected() as connection:
        (row,) = connection.execute(select(sign_ins)).mappings()
    assert cookie not in str(dict(row))
    assert TOKEN not in str(dict(row))
    assert served.get("/", cookie=f"journey={row['id']}").status == 303


def test_a_sign_in_ends_by_itself(dashboard: Start, with_token: dict[str, str]) -> None:
    served = dashboard(with_token)
    cookie = served.sign_in(token=TOKEN)
    past = datetime.now(UTC) - timedelta(seconds=1)
    with served.store.connected() as connection:
        connection.execute(update(sign_ins).values(ends_at=past))
    assert served.get("/", cookie=cookie).status == 303
    served.sign_in(token=TOKEN)
    with served.store.connected() as connection:
        assert len(connection.execute(select(sign_ins.c.id)).all()) == 1


def test_a_session_ends_when_it_is_not_used_and_at_last_in_any_case(dashboard: Start, with_token: dict[str, str]) -> None:
    served = dashboard(with_token)
    cookie = served.sign_in(token=TOKEN)

    def ends_in() -> timedelta:
        with served.store.connected() as connection:
            ends_at: datetime = connection.execute(select(sign_ins.c.ends_at)).scalar_one()
        return ends_at - datetime.now(UTC)

    def moved(**columns: datetime) -> None:
        with served.store.connected() as connection:
            connection.execute(update(sign_ins).values(**columns))

    assert IDLE - timedelta(minutes=1) < ends_in() <= IDLE
    moved(ends_at=datetime.now(UTC) + timedelta(minutes=20))
    assert served.get("/", cookie=cookie).status == 200
    assert ends_in() > IDLE - timedelta(minutes=1), "it is in use"
    moved(made_at=datetime.now(UTC) - LASTS + timedelta(minutes=5), ends_at=datetime.now(UTC) + timedelta(minutes=2))
    assert served.get("/", cookie=cookie).status == 200
    assert ends_in() <= timedelta(minutes=5), "12 hours are the limit for one in use too"


def test_signing_in_again_ends_the_session_that_the_browser_had(dashboard: Start, with_token: dict[str, str]) -> None:
    served = dashboard(with_token)
    first = served.sign_in(token=TOKEN)
    second = served.post("/sign-in", {"token": TOKEN}, cookie=first).headers["set-cookie"].partition(";")[0]
    assert first != second
    assert [served.get("/", cookie=one).status for one in (first, second)] == [303, 200]


@pytest.mark.long
def test_who_is_signed_in_stays_so_at_every_server_of_the_store(dashboard: Start, with_token: dict[str, str]) -> None:
    one, other = dashboard(with_token), dashboard(with_token)
    cookie = one.sign_in(token=TOKEN)
    assert other.get("/", cookie=cookie).status == 200
    assert other.post("/sign-out", {}, cookie=cookie).status == 303
    assert one.get("/", cookie=cookie).status == 303


@pytest.mark.long
def test_many_who_sign_in_at_once_are_all_signed_in(dashboard: Start, with_token: dict[str, str]) -> None:
    served = dashboard(with_token)
    with ThreadPoolExecutor(8) as threads:
        cookies = list(threads.map(lambda _: served.sign_in(token=TOKEN), range(16)))
    assert len(set(cookies)) == 16
    assert {served.get("/", cookie=cookie).status for cookie in cookies} == {200}


def test_signing_out_ends_it_in_the_store_too(dashboard: Start, with_token: dict[str, str]) -> None:
    served = dashboard(with_token)
    cookie = served.sign_in(token=TOKEN)
    answer = served.post("/sign-out", {}, cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert served.get("/", cookie=cookie).status == 303
    assert served.get("/sign-out").status in {303, 405}


@pytest.mark.parametrize(
    "cookie", ["journey=", "journey=%00", "journey=" + "x" * 5000, "journey=a; journey=b", "=", "\xff\xfe"]
)
def test_a_cookie_that_is_none_is_nobody(dashboard: Start, cookie: str) -> None:
    assert dashboard(WITH_TOKEN).get("/", cookie=cookie).status == 303


# Names and passwords


def test_people_sign_in_with_name_and_password(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    answer = served.get("/runs?range=7d")
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=%2Fruns%3Frange%3D7d")
    page = served.get(answer.headers["location"]).body.decode()
    assert 'name="next" value="/runs?range=7d"' in page
    answer = served.post("/sign-in", {"name": "ada", "password": PASSWORD, "next": "/runs?range=7d"})
    assert (answer.status, answer.headers["location"]) == (303, "/runs?range=7d")
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert '<a href="/account">ada</a>' in served.get("/", cookie=cookie).body.decode()


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("cy", "-"),
        ("cy", ""),
        ("ada", "x" * 9000),
    ],
)
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(dashboard: Start, users: Path, name: str, password: str) -> None:
    answer = dashboard({"JOURNEY_SERVE_USERS": str(users)}).post("/sign-in", {"name": name, "password": password})
    assert answer.status == 401
    assert "set-cookie" not in answer.headers
    assert "The name or the password is wrong." in answer.body.decode()


def test_who_is_taken_from_the_list_or_has_another_password_is_out_at_once(dashboard: Start, users: Path, hashed: str) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    ada, bob = served.sign_in(name="ada", password=PASSWORD), served.sign_in(name="bob", password=PASSWORD)
    known = read_users(users)
    del known["ada"]
    write_users(users, known)
    assert served.get("/", cookie=ada).status == 303
    assert served.get("/", cookie=bob).status == 200
    write_users(users, {"bob": User("bob", "view", hashed[:-1] + ("A" if hashed[-1] != "A" else "B"))})
    assert served.get("/", cookie=bob).status == 303


def test_a_list_that_cannot_be_read_lets_nobody_in(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    ada = served.sign_in(name="ada", password=PASSWORD)
    users.write_text("ada:admin:x\n")
    answer = served.get("/", cookie=ada)
    assert answer.status == 500
    assert str(users) not in answer.body.decode()
    users.unlink()
    assert served.get("/", cookie=ada).status == 500


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ada", "not a line"),
        ("ada:admin:$argon2id$x", "not a line"),
        ("ada:view:plain", "not a line"),
        ("a/b:view:-", "not a line"),
        ("cy:view:-\ncy:view:-", "twice"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, why: str) -> None:
    file = tmp_path / "users"
    file.write_text(f"# people\n\n{line}\n")
    with pytest.raises(ConfigError, match=rf"users:\d: .*{why}"):
        read_users(file)


def test_the_list_is_for_its_owner_alone(users: Path) -> None:
    assert users.stat().st_mode & 0o077 == 0


# A reverse proxy


@pytest.mark.long
def test_a_trusted_proxy_says_who_somebody_is(dashboard: Start, users: Path) -> None:
    behind = {
        "JOURNEY_SERVE_PROXY_USER_HEADER": "X-User",
        "JOURNEY_SERVE_USERS": str(users),
        "JOURNEY_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    served = dashboard(behind)
    served.store.add(made())
    for name, may in (("cy", True), ("bob", False), ("somebody.else", False)):
        page = served.get("/journeys/buy", x_user=name)
        assert page.status == 200
        assert f">{name}</span>" in page.body.decode()
        assert ("/journeys/buy/pause" in page.body.decode()) is may
    for name in ("", "<script>", "a b", "x" * 200):
        assert served.get("/", x_user=name).status == 303


def test_the_header_is_not_believed_from_anybody_else(dashboard: Start) -> None:
    behind = {"JOURNEY_SERVE_PROXY_USER_HEADER": "X-User", "JOURNEY_TRUSTED_PROXIES": "10.0.0.0/8"}
    served = dashboard(behind)
    assert served.get("/", x_user="ada").status == 401
    assert served.get("/", x_user="ada", x_forwarded_for="10.0.0.1").status == 401


# Guesses


def test_guesses_of_a_password_are_slowed_down_for_a_name_and_for_a_network(dashboard: Start, users: Path) -> None:
    clock = Clock()
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)}, clock=clock)
    statuses = [served.post("/sign-in", {"name": "ada", "password": f"guess {n}"}).status for n in range(FREE + 3)]
    assert statuses == [401] * FREE + [429] * 3
    # The right one is not looked at either, nor another name from the same network.
    answer = served.post("/sign-in", {"name": "ada", "password": PASSWORD})
    assert (answer.status, "retry-after" in answer.headers) == (429, True)
    assert served.post("/sign-in", {"name": "bob", "password": PASSWORD}).status == 429
    clock.now += 2
    assert served.post("/sign-in", {"name": "ada", "password": PASSWORD}).status == 303
    # It begins anew after the right one.
    assert served.post("/sign-in", {"name": "ada", "password": "wrong"}).status == 401


def test_each_further_guess_waits_twice_as_long(dashboard: Start, users: Path) -> None:
    clock = Clock()
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)}, clock=clock)
    waits = []
    for number in range(FREE + 4):
        answer = served.post("/sign-in", {"name": "ada", "password": f"guess {number}"})
        assert answer.status == 401
        answer = served.post("/sign-in", {"name": "ada", "password": f"guess {number}"})
        if answer.status == 429:
            waits.append(int(answer.headers["retry-after"]))
            clock.now += waits[-1]
        else:
            assert answer.status == 401
    assert waits[:4] == [1, 2, 4, 8]


BEHIND_A_PROXY = {"JOURNEY_TRUSTED_PROXIES": "127.0.0.1"}


def guess(served: Visited, network: int, name: str = "ada", password: str = "guess", **headers: str) -> int:
    """One attempt from a network of its own."""
    fields = {"name": name, "password": password}
    return served.post("/sign-in", fields, x_forwarded_for=f"198.51.{network}.1", **headers).status


def test_an_account_is_guessed_at_a_steady_rate_from_wherever(dashboard: Start, users: Path) -> None:
    clock = Clock()
    served = dashboard({"JOURNEY_SERVE_USERS": str(users), **BEHIND_A_PROXY}, clock=clock)
    assert [guess(served, n) for n in range(AT_ONCE + 2)] == [401] * AT_ONCE + [429] * 2
    assert guess(served, 99, "bob", PASSWORD) == 303
    clock.now += 1 / PER_SECOND
    assert [guess(served, n) for n in (60, 61)] == [401, 429]


def test_guesses_elsewhere_do_not_keep_the_owner_out(dashboard: Start, users: Path) -> None:
    clock = Clock()
    served = dashboard({"JOURNEY_SERVE_USERS": str(users), **BEHIND_A_PROXY}, clock=clock)
    cookies = served.post("/sign-in", {"name": "ada", "password": PASSWORD}, x_forwarded_for="192.0.2.9").cookies
    assert [guess(served, n) for n in range(AT_ONCE + 5)][-1] == 429
    browser = next(one for one in cookies if one.startswith("journey-browser="))
    # From wherever, as nobody else has the cookie of this browser.
    assert guess(served, 77, "ada", PASSWORD, cookie=browser) == 303
    assert guess(served, 77, "ada", PASSWORD) == 429
    assert guess(served, 77, "ada", PASSWORD, cookie="journey-browser=0.0") == 429
    assert guess(served, 77, "bob", "guess", cookie=browser) == 401
    # Who has the browser guesses no quicker.
    assert [guess(served, 78, "ada", "guess", cookie=browser) for _ in range(FREE + 1)] == [401] * FREE + [429]


@pytest.mark.long
def test_the_owner_of_an_account_that_is_guessed_at_slowly_comes_in_from_anywhere(dashboard: Start, users: Path) -> None:
    clock = Clock()
    served = dashboard({"JOURNEY_SERVE_USERS": str(users), **BEHIND_A_PROXY}, clock=clock)
    for number in range(60):
        assert guess(served, number) == 401
        clock.now += 2
    assert guess(served, 200, "ada", PASSWORD) == 303


def test_a_user_does_not_clear_guesses_at_a_colleague(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)}, clock=Clock())
    for _ in range(FREE - 1):
        assert served.post("/sign-in", {"name": "ada", "password": "guess"}).status == 401
    assert served.post("/sign-in", {"name": "bob", "password": PASSWORD}).status == 303
    statuses = [served.post("/sign-in", {"name": "ada", "password": "guess"}).status for _ in range(3)]
    assert statuses == [401, 429, 429]


def test_each_line_of_the_proxies_is_read_from_the_right(dashboard: Start, users: Path) -> None:
    served = dashboard(
        {"JOURNEY_SERVE_USERS": str(users), "JOURNEY_SERVE_PROXY_USER_HEADER": "X-User", **BEHIND_A_PROXY}, clock=Clock()
    )

    def as_sent(*headers: tuple[str, str]) -> str:
        return served.raw("GET", "/", (*headers, ("accept", PAGE)))

    assert ">bob</span>" in as_sent(("x-user", "cy"), ("x-user", "bob"))
    assert ">bob</span>" in as_sent(("x-user", "cy, bob"))
    secure = "strict-transport-security"
    assert secure not in as_sent(("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")).lower()
    assert secure in as_sent(("x-forwarded-proto", "http"), ("x-forwarded-proto", "https")).lower()


def test_guesses_of_the_token_are_slowed_down_wherever_it_is_brought(dashboard: Start) -> None:
    ways: list[Callable[[Visited, str], int]] = [
        lambda served, token: served.request("GET", "/api/v1/runs", None, bearer(token)).status,
        lambda served, token: served.post("/sign-in", {"token": token}).status,
        lambda served, token: served.request("GET", "/metrics", None, bearer(token)).status,
    ]
    for way in ways:
        served = dashboard(WITH_TOKEN, clock=Clock())
        statuses = [way(served, f"a-token-that-is-guessed-{number}") for number in range(FREE + 2)]
        assert statuses == [401] * FREE + [429] * 2
        assert way(served, TOKEN) == 429


def test_what_is_remembered_of_guesses_is_bounded() -> None:
    clock = Clock()
    throttle = Backoff(60, clock, most=100)
    for number in range(1000):
        throttle.wrong(f"name-{number}")
    assert len(throttle) == 100
    for _ in range(40):
        throttle.wrong("ada")
    assert throttle.wait("ada") == 60
    clock.now += 4000
    throttle.wrong("ada")
    assert throttle.wait("ada") == 0
    budget = AccountBudget(clock, most=100)
    for number in range(1000):
        budget.take(f"name-{number}")
    assert budget.wait("name-0") == 0
    assert len(budget) == 100


# Metrics, and what is for everybody


def test_metrics_are_shown_to_all_only_when_that_is_said(dashboard: Start) -> None:
    assert dashboard().get("/metrics").status == 200
    assert dashboard(WITH_TOKEN).get("/metrics", accept="*/*").status == 401
    assert dashboard(WITH_TOKEN).request("GET", "/metrics", None, {**bearer(), "host": "serve:8321"}).status == 200
    public = dashboard({**WITH_TOKEN, "JOURNEY_SERVE_PUBLIC_METRICS": "true"})
    assert public.get("/metrics").status == 200
    assert public.get("/").status == 303


def test_the_collector_its_script_and_health_stay_public(dashboard: Start) -> None:
    import json

    from tests.support.services.collector import beacon

    served = dashboard(WITH_TOKEN)
    for path in ("/healthz", "/readyz", "/agent.js"):
        assert served.get(path, host="anything.example").status == 200, path
    headers = {"origin": "http://localhost:3000", "content-type": "text/plain"}
    assert served.request("POST", "/v1/views", json.dumps(beacon()).encode(), headers).status == 202


def test_what_the_sign_in_page_loads_is_public_and_nothing_else(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    for path in ("/static/style.css", "/static/page.js", "/sign-in"):
        assert served.get(path).status == 200
    for path in ("/static/../runs", "/static/%2e%2e/runs", "/sign-in/../runs", "/sign-inx", "/static/../../site.py"):
        assert served.get(path, accept=PAGE).status in {303, 404}
        assert b"<h1>Runs" not in served.get(path, accept=PAGE).body


def test_changes_of_the_users_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    file = tmp_path / "users"
    ready = Barrier(8)

    def add(number: int) -> None:
        ready.wait(30)
        with changing_users(file) as users:
            users[f"user{number}"] = User(f"user{number}", "view", "-")

    threads = [Thread(target=add, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(read_users(file)) == [f"user{number}" for number in range(8)]


def test_users_stay_as_they_are_when_a_change_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "users"
    write_users(file, {"ada": User("ada", "view", "-")})

    def give_up() -> None:
        with changing_users(file) as users:
            users.clear()
            raise ConfigError("no such user")

    with pytest.raises(ConfigError, match="no such user"):
        give_up()
    assert list(read_users(file)) == ["ada"]
