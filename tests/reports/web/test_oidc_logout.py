"""The identity provider says by itself that a user has signed out, and strangers say so too."""

import re
from base64 import b64encode
from collections.abc import Callable
from time import time
from typing import Any
from urllib.parse import urlencode

import pytest

from reports.web.access.oidc.logout_token import LONGEST
from reports.web.access.sessions import SignIns
from runner.store import StoreDown
from tests.reports.web.test_access import PASSWORD, hashed, users
from tests.reports.web.test_oidc import Start, at_provider, back, causes, cookie_of, go, provider, settings_for
from tests.support.services.collector import Answer
from tests.support.services.dashboard import Visited
from tests.support.services.identity_provider import CLIENT, IdentityProvider

__all__ = ["causes", "hashed", "provider", "users"]
FORM = {"content-type": "application/x-www-form-urlencoded"}


def tell(served: Visited, token: str, **headers: str) -> Answer:
    """The dashboard's answer to a provider, which sends neither Origin nor a cookie."""
    return served.request("POST", "/sign-in/oidc/logout", urlencode({"logout_token": token}).encode(), FORM | headers)


def is_signed_in(served: Visited, cookie: str) -> bool:
    return served.get("/", cookie=cookie).status == 200


@pytest.mark.long
def test_signing_out_at_the_provider_ends_all_sessions_of_the_user_and_no_other(
    dashboard: Start, provider: IdentityProvider, users: Any, causes: Callable[[], str]
) -> None:
    served = dashboard(settings_for(provider) | {"JOURNEY_SERVE_USERS": str(users)})
    by_password = served.sign_in(name="ada", password=PASSWORD)
    ada = [cookie_of(go(served))]
    # With another name and role, it is the same user.
    provider.user |= {"preferred_username": "ada.lovelace", "groups": ["staff"]}
    ada.append(cookie_of(go(served)))
    provider.user["sub"] = "another"
    other = cookie_of(go(served))
    provider.user["sub"] = "248289761001"
    answer = tell(served, provider.sign_out())
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert [is_signed_in(served, one) for one in (*ada, other, by_password)] == [False, False, True, True]
    # Nobody is left to be signed out, which is no error.
    assert tell(served, provider.sign_out()).status == 200


def test_a_token_that_ended_nothing_because_the_database_was_away_counts_when_it_is_sent_again(
    dashboard: Start, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = dashboard(settings_for(provider))
    cookie, token = cookie_of(go(served)), provider.sign_out()

    def away(*_: object) -> list[str]:
        raise StoreDown("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(SignIns, "end_like", away)
        assert tell(served, token).status == 503
    assert is_signed_in(served, cookie)
    assert [tell(served, token).status for _ in range(2)] == [200, 400], "once, and then no more"
    assert not is_signed_in(served, cookie)


def test_many_users_may_be_signed_out_at_once(dashboard: Start, provider: IdentityProvider) -> None:
    served = dashboard(settings_for(provider))
    assert [tell(served, provider.sign_out(sub=f"user {number}")).status for number in range(20)] == [200] * 20


NOW = int(time())


INVALID: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    ((), {"typ": "JWT"}, "its header has the type 'JWT', not 'logout\\+jwt'"),
    ((), {"typ": "at+jwt"}, "its header has the type"),
    (("events",), {}, "its claim `events` lacks http://schemas.openid.net/event/backchannel-logout"),
    ((), {"events": {"http://schemas.openid.net/event/backchannel": {}}}, "its claim `events` lacks"),
    ((), {"events": ["http://schemas.openid.net/event/backchannel-logout"]}, "its claim `events` lacks"),
    ((), {"events": {"http://schemas.openid.net/event/backchannel-logout": None}}, "its claim `events` lacks"),
    ((), {"nonce": ""}, "it has a nonce, so it is an ID token"),
    (("iss",), {}, "it is issued by None"),
    ((), {"iss": "https://elsewhere.example"}, "it is issued by https://elsewhere.example"),
    (("aud",), {}, "it is issued to None; set oidc_client_id"),
    ((), {"aud": [f"{CLIENT}2"]}, "it is issued to"),
    (("iat",), {}, "its claim `iat` is not a time"),
    ((), {"iat": True}, "its claim `iat` is not a time"),
    ((), {"iat": 10**400}, "its claim `iat` is not a time"),
    ((), {"iat": NOW - 4000, "exp": NOW + 4000}, "it was not issued just now"),
    ((), {"iat": NOW + 4000, "exp": NOW + 5000}, "it was not issued just now"),
    ((), {"exp": NOW - 400}, "it was not issued just now"),
    (("exp",), {}, "its claim `exp` is not a time"),
    (("jti",), {}, "it lacks an id of its own"),
    (("sub",), {}, "it does not name the user"),
    ((), {"sub": ["248289761001"]}, "it does not name the user"),
    ((), {"sub": "%"}, ""),
    ((), {"sub": "_" * 12}, ""),
]
"""What a logout token lacks, what is different in it, and what the log says about it."""


@pytest.mark.long
def test_a_logout_token_that_is_not_valid_ends_nothing(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]
) -> None:
    served = dashboard(settings_for(provider))
    cookie = cookie_of(go(served))
    for without, other, why in INVALID:
        logged = len(causes())
        answer = tell(served, provider.sign_out(*without, **other))
        # Somebody whom nobody knows here is nobody's fault.
        assert answer.status == (400 if why else 200), (without, other)
        if why:
            assert answer.json()["error"] == "invalid_request"
            assert re.search(why, causes()[logged:]), (without, other, causes()[logged:])
        assert is_signed_in(served, cookie), (without, other)


@pytest.mark.long
def test_tokens_of_other_kinds_and_other_signers_end_nothing(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]
) -> None:
    served = dashboard(settings_for(provider))
    cookie = cookie_of(go(served))
    (id_token,) = provider.id_tokens
    valid = provider.sign_out()
    provider.algorithm = "HS256"
    by_secret = provider.sign_out()
    provider.algorithm, known = "RS256", provider.key
    provider.rotate()
    by_another, provider.key = provider.sign_out(), known
    head, body, signature = valid.split(".")
    for token in (
        "",
        "a",
        "a.b.c",
        id_token,
        by_secret,
        by_another,
        f"{head}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
        "x" * (LONGEST + 1),
        # Anybody may send a header that no decoder reads to its end.
        ".".join((b64encode(b'{"a":' + b"[" * 5_000).decode(), body, signature)),
    ):
        assert tell(served, token).status == 400, token
    assert served.get("/sign-in/oidc/logout").status in {303, 401, 405}
    assert served.request("POST", "/sign-in/oidc/logout", b"{}", {"content-type": "application/json"}).status == 415
    assert is_signed_in(served, cookie)
    assert tell(served, valid).status == 200
    assert not is_signed_in(served, cookie)
    again = cookie_of(go(served))
    assert tell(served, valid).status == 400
    assert "a logout token was sent again" in causes()
    assert is_signed_in(served, again)


def test_without_a_provider_there_is_no_such_address(dashboard: Start, users: Any) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    assert tell(served, "a.b.c").headers["location"] == "/sign-in"


@pytest.mark.long
def test_a_provider_that_does_not_say_when_the_user_authenticated_proves_nothing(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]
) -> None:
    served = dashboard(settings_for(provider))
    provider.change_claims = lambda claims: {name: value for name, value in claims.items() if name != "auth_time"}
    answer = served.get("/sign-in/oidc?again=1&next=/account")
    attempt = answer.headers["set-cookie"].partition(";")[0]
    assert back(served, at_provider(answer.headers["location"]), attempt).status == 403
    assert "does not say when they did (the claim auth_time)" in causes()
    # Without being asked for it, nobody has to say it.
    assert go(served).status == 303
