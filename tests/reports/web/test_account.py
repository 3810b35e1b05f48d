"""One's own sessions and password."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.web.access.passwords import hashing
from reports.web.access.passwords.hashing import verify_password
from reports.web.access.users_file import read_users
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, hashed, users
from tests.support.services.dashboard import TOKEN, Visited

__all__ = ["hashed", "users"]
Start = Callable[..., Visited]
NEW = "a kettle on the hob"


def ids(served: Visited, cookie: str) -> list[str]:
    """The sessions that can be ended on the page."""
    page = served.get("/account", cookie=cookie)
    assert page.status == 200
    return re.findall(r'name="session" value="([0-9a-f]{64})"', page.body.decode())


@pytest.mark.long
def test_users_see_their_own_sessions_alone_and_end_them(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    phone, laptop = (served.sign_in(name="bob", password=PASSWORD) for _ in range(2))
    ada = served.sign_in(name="ada", password=PASSWORD)
    assert ids(served, ada) == []
    (id_,) = ids(served, laptop)
    of_phone = {"session": id_, "password": PASSWORD}
    assert served.post("/account/sessions/end", of_phone, cookie=ada).status == 404
    assert served.get("/", cookie=phone).status == 200
    assert served.post("/account/sessions/end", of_phone, cookie=laptop, origin="https://evil.example").status == 403
    for wrong in ({}, {"password": ""}, {"password": "a guess at it"}):
        answer = served.post("/account/sessions/end", of_phone | {"password": ""} | wrong, cookie=laptop)
        assert (answer.status, "The current password is wrong." in answer.body.decode()) == (403, True)
    assert served.get("/", cookie=phone).status == 200
    assert served.post("/account/sessions/end", of_phone, cookie=laptop).status == 303
    assert [served.get("/", cookie=one).status for one in (phone, laptop)] == [303, 200]
    assert served.post("/account/sessions/end", of_phone, cookie=laptop).status == 404


def test_who_brought_the_token_ends_a_session_with_it(dashboard: Start, users: Path) -> None:
    served = dashboard(WITH_TOKEN | {"JOURNEY_SERVE_USERS": str(users)})
    phone, laptop = (served.sign_in(token=TOKEN) for _ in range(2))
    (of_phone,) = ids(served, laptop)
    assert served.post("/account/sessions/end", {"session": of_phone, "password": PASSWORD}, cookie=laptop).status == 403
    assert served.post("/account/sessions/end", {"session": of_phone, "password": TOKEN}, cookie=laptop).status == 303
    assert [served.get("/", cookie=one).status for one in (phone, laptop)] == [303, 200]


@pytest.mark.long
def test_a_hash_that_cost_less_is_renewed_at_the_sign_in(
    dashboard: Start, users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from argon2 import PasswordHasher

    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    before = users.read_bytes()
    served.sign_in(name="bob", password=PASSWORD)
    assert users.read_bytes() == before
    dearer, cheaper = (PasswordHasher(time_cost=cost, memory_cost=64, parallelism=1) for cost in (2, 1))
    monkeypatch.setattr(hashing, "_hasher", lambda: dearer)
    assert served.post("/sign-in", {"name": "bob", "password": "a guess at it"}).status == 401
    assert users.read_bytes() == before
    cookie = served.sign_in(name="bob", password=PASSWORD)
    assert served.get("/", cookie=cookie).status == 200
    known = read_users(users)
    assert "t=2" in known["bob"].hash
    assert "t=1" in known["ada"].hash
    assert verify_password(known["bob"], PASSWORD)
    # It is not made cheaper, and an unwritable file keeps nobody out.
    monkeypatch.setattr(hashing, "_hasher", lambda: cheaper)
    assert served.sign_in(name="bob", password=PASSWORD)
    assert "t=2" in read_users(users)["bob"].hash
    monkeypatch.setattr(hashing, "_hasher", lambda: dearer)
    monkeypatch.setattr("reports.web.access.users_file.write_users", refuse_to_write)
    assert served.sign_in(name="ada", password=PASSWORD)


def refuse_to_write(*_: object) -> None:
    raise OSError(30, "Read-only file system")


def test_a_user_changes_the_own_password_which_ends_all_other_sessions(dashboard: Start, users: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    phone, laptop = (served.sign_in(name="bob", password=PASSWORD) for _ in range(2))
    fields = {"password": PASSWORD, "new": NEW, "again": NEW}
    answer = served.post("/account/password", fields, cookie=laptop)
    assert answer.status == 303
    assert [served.get("/", cookie=one).status for one in (phone, laptop)] == [303, 303]
    assert served.get("/", cookie=answer.headers["set-cookie"].partition(";")[0]).status == 200
    assert verify_password(read_users(users)["bob"], NEW)
    assert read_users(users)["bob"].role == "view"
    assert list(read_users(users)) == ["ada", "bob", "cy"]


@pytest.mark.parametrize(
    ("fields", "status", "why"),
    [
        ({"password": "a guess at it", "new": NEW, "again": NEW}, 403, "The current password is wrong."),
        ({"password": PASSWORD, "new": NEW, "again": NEW + "!"}, 422, "The two new passwords differ."),
        ({"password": PASSWORD, "new": "short", "again": "short"}, 422, "A password must have 12"),
        ({"password": PASSWORD, "new": "passwordpassword", "again": "passwordpassword"}, 422, "stolen passwords"),
        ({}, 403, "The current password is wrong."),
    ],
)
def test_a_change_that_is_not_right_changes_nothing(
    dashboard: Start, users: Path, fields: dict[str, str], status: int, why: str
) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    cookie = served.sign_in(name="bob", password=PASSWORD)
    before = users.read_bytes()
    if not fields:
        fields = {"new": NEW, "again": NEW}
    answer = served.post("/account/password", fields, cookie=cookie)
    assert (answer.status, why in answer.body.decode()) == (status, True)
    assert users.read_bytes() == before
    assert served.get("/", cookie=cookie).status == 200


def test_who_has_not_signed_in_there_has_no_account(dashboard: Start) -> None:
    assert dashboard().get("/account").status == 404
    served = dashboard(WITH_TOKEN)
    assert served.get("/account").status == 303
    assert served.request("GET", "/account", None, {"authorization": f"Bearer {TOKEN}"}).status == 404
    cookie = served.sign_in(token=TOKEN)
    page = served.get("/account", cookie=cookie).body.decode()
    assert "this session" in page
    assert "New password" not in page
    assert served.post("/account/password", {"password": TOKEN, "new": NEW, "again": NEW}, cookie=cookie).status == 404
