"""The audit log: who signed in, was refused, and changed what; never a token or a password."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.web.access.audit import AT_ONCE, AuditLog
from reports.web.access.users_file import User, read_users, write_users
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, Clock, bearer, hashed, users
from tests.support.services.dashboard import TOKEN, Visited, made

__all__ = ["hashed", "users"]
Start = Callable[..., Visited]


@pytest.fixture
def audited(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The messages of the audit log so far."""
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    caplog.set_level(logging.INFO, "journey.audit")
    return lambda: [one.getMessage() for one in caplog.records if one.name == "journey.audit"]


def test_sign_ins_refusals_and_changes_are_logged_with_user_and_network(
    dashboard: Start, users: Path, audited: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    served.store.add(made())
    served.post("/sign-in", {"name": "ada", "password": "a wrong password"})
    served.post("/sign-in", {"name": "my secret password", "password": "ada"})
    ada, bob = served.sign_in(name="ada", password=PASSWORD), served.sign_in(name="bob", password=PASSWORD)
    served.post("/journeys/buy/pause", {"for": "1h"}, cookie=ada)
    served.post("/journeys/buy/resume", {}, cookie=bob)
    served.post("/journeys/buy/resume", {}, cookie=ada, origin="https://evil.example")
    served.post("/sign-out", {}, cookie=ada)
    here = "from 127.0.0.0/24"
    assert audited() == [
        f"the sign-in of ada was refused, {here}",
        f"the sign-in of an unknown user was refused, {here}",
        f"ada signed in, {here}",
        f"bob signed in, {here}",
        f"ada changed something: /journeys/buy/pause, {here}",
        f"a change by bob was refused (403): /journeys/buy/resume, {here}",
        f"a change by ada was refused (403): /journeys/buy/resume, {here}",
        f"ada signed out, {here}",
    ]
    pause = next(one for one in caplog.records if "pause" in one.getMessage())
    assert (vars(pause)["action"], vars(pause)["user"], vars(pause)["network"]) == ("change", "ada", "127.0.0.0/24")


def test_no_token_is_logged(dashboard: Start, audited: Callable[[], list[str]], caplog: pytest.LogCaptureFixture) -> None:
    served = dashboard(WITH_TOKEN)
    served.store.add(made())
    for token in ("a-token-that-is-wrong", TOKEN):
        served.request("GET", "/api/v1/overview", None, bearer(token))
        served.request("POST", "/journeys/buy/pause", b"", bearer(token))
        served.post("/sign-in", {"token": token})
        served.get(f"/?token={token}")
    assert audited()[:3] == ["a request was refused: the token is wrong, from 127.0.0.0/24"] * 3
    assert "token changed something: /journeys/buy/pause, from 127.0.0.0/24" in audited()
    everything = " ".join(str(vars(one)) for one in caplog.records)
    assert TOKEN not in everything
    assert "a-token-that-is-wrong" not in everything


def test_a_change_of_the_list_of_users_is_logged(dashboard: Start, users: Path, audited: Callable[[], list[str]]) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    known = read_users(users)
    del known["cy"]
    write_users(users, {**known, "bob": User("bob", "operate", known["bob"].hash), "eve": User("eve", "view", "-")})
    served.post("/sign-in", {"name": "nobody", "password": "x"})
    assert audited()[:3] == [
        "user cy was removed",
        "user bob: the role is now operate",
        "user eve was added with the role view",
    ]


def test_refusals_by_the_thousand_are_counted_and_not_listed(audited: Callable[[], list[str]]) -> None:
    clock = Clock()
    audit = AuditLog(clock)
    for _ in range(AT_ONCE + 500):
        audit.refuse("refused")
    assert audited() == ["refused"] * AT_ONCE
    audit.record("sign-in", "ada signed in")
    clock.now += 1
    audit.refuse("refused")
    assert audited()[AT_ONCE:] == ["ada signed in", "refused (500 more refusals are not listed)"]
