"""Sign-in through an identity provider, and everything that can be wrong with it."""

import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from reports.web.access.authenticator import Authenticator
from reports.web.access.oidc.login_attempt import LASTS, begin_attempt, restore_attempt
from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.store import Store
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, hashed, users
from tests.support.services.collector import Answer
from tests.support.services.dashboard import Visited, made
from tests.support.services.identity_provider import CLIENT, SECRET, IdentityProvider, serving_identities

__all__ = ["hashed", "users"]
Start = Callable[..., Visited]
ROLES = "operators=operate, staff=view"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """A provider, at which Ada has signed in."""
    with serving_identities() as one:
        yield one


def settings_for(provider: IdentityProvider, **more: str) -> dict[str, str]:
    """The settings that name it."""
    given = {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "ROLES": ROLES} | more
    return {f"JOURNEY_OIDC_{name}": text for name, text in given.items() if text}


def at_provider(address: str) -> str:
    """Where the provider sends the browser."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    assert answer.status == 303
    return answer.headers["location"]


def begin(served: Visited, to: str = "/runs", **headers: str) -> tuple[str, str]:
    """Where the dashboard sends the browser, and its cookie."""
    answer = served.get(f"/sign-in/oidc?{urlencode({'next': to})}", **headers)
    assert answer.status == 303, answer.body
    return answer.headers["location"], answer.headers["set-cookie"].partition(";")[0]


def back(served: Visited, address: str, cookie: str, **headers: str) -> Answer:
    """The dashboard's answer to the browser that comes back."""
    parts = urlsplit(address)
    return served.get(f"{parts.path}?{parts.query}", cookie=cookie, **headers)


def go(served: Visited, to: str = "/runs") -> Answer:
    """The whole way; the last answer."""
    address, cookie = begin(served, to)
    return back(served, at_provider(address), cookie)


def cookie_of(answer: Answer) -> str:
    """The session's cookie."""
    assert answer.status == 303, answer.body
    return next(one for one in answer.cookies if one.startswith("journey="))


@pytest.fixture
def causes(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the log says about refused sign-ins."""
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    caplog.set_level(logging.INFO, "journey.audit")
    return lambda: "\n".join(one.getMessage() for one in caplog.records if one.name == "journey.audit")


@pytest.mark.long
def test_a_user_of_the_provider_signs_in_with_the_role_of_a_claim(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]
) -> None:
    served = dashboard(settings_for(provider))
    served.store.add(made())
    assert served.get("/runs").headers["location"] == "/sign-in?next=%2Fruns"
    page = served.get("/sign-in?next=/runs").body.decode()
    assert f"Sign in with {urlsplit(provider.issuer).netloc}" in page
    assert 'name="password"' not in page
    address, cookie = begin(served, "/runs?status=failed")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == ("code", "S256", "openid profile email")
    assert asked["redirect_uri"] == f"{served.address}/sign-in/oidc/callback"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    answer = back(served, at_provider(address), cookie)
    assert (answer.status, answer.headers["location"]) == (303, "/runs?status=failed")
    ada = cookie_of(answer)
    page = served.get("/journeys/buy", cookie=ada).body.decode()
    assert ">ada</a>" in page
    assert "/journeys/buy/pause" in page
    assert "signed in through the identity provider, from 127.0.0.0/24" in causes()
    # Nothing of the provider's tokens stays anywhere.
    assert not {one.partition("=")[0] for one in answer.cookies} - {"journey", "journey-attempt"}


@pytest.mark.long
def test_the_highest_role_counts_and_without_one_nobody_gets_in(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]
) -> None:
    served = dashboard(settings_for(provider))
    served.store.add(made())
    given: list[tuple[object, bool]] = [
        (["staff"], False),
        (["staff", "operators"], True),
        ("staff", False),
        ({"operators": {}}, True),
    ]
    groups: object
    for groups, seen in given:
        provider.user["groups"] = groups
        page = served.get("/journeys/buy", cookie=cookie_of(go(served))).body.decode()
        assert ("/journeys/buy/pause" in page) is seen, groups
    odd: list[object] = [["guests"], [], None, 7, [["operators"]], "operators ", ["Operators"]]
    for place, groups in enumerate(odd):
        if place % 4 == 0:
            # Failed attempts are slowed down.
            served = dashboard(settings_for(provider))
        provider.user["groups"] = groups
        answer = go(served)
        assert answer.status == 403, groups
        assert "ada has signed in at 127.0.0.1" in answer.body.decode()
        assert "has no access to this dashboard" in answer.body.decode()
        assert "journey=" not in "".join(answer.cookies).replace("journey-attempt=", "")
    assert "oidc_roles: no role is set for what ada has in groups: guests" in causes()
    assert "oidc_role_claims: groups of ada is neither in the ID token nor in the user info" in causes()


def test_a_claim_may_be_inside_of_another_or_in_the_user_info(dashboard: Start, provider: IdentityProvider) -> None:
    served = dashboard(settings_for(provider, ROLE_CLAIMS="realm_access.roles https://shop.example/teams"))
    del provider.user["groups"]
    provider.user["realm_access"] = {"roles": ["operators"]}
    assert go(served).status == 303
    del provider.user["realm_access"]
    provider.user_info = {"https://shop.example/teams": ["staff"]}
    assert go(served).status == 303
    provider.user_info |= {"sub": "somebody else"}
    assert go(served).status == 502


def test_an_address_counts_once_the_provider_has_verified_it(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]
) -> None:
    served = dashboard(settings_for(provider, ROLE_CLAIMS="email", ROLES="ada@shop.example=view"))
    provider.user |= {"email": "ada@shop.example"}
    assert go(served).status == 403
    assert "has not verified the address" in causes()
    provider.user |= {"email_verified": True}
    assert go(served).status == 303


@pytest.mark.long
def test_password_and_provider_can_both_be_on_and_names_are_not_mixed_up(
    dashboard: Start, provider: IdentityProvider, users: Path
) -> None:
    served = dashboard(settings_for(provider) | WITH_TOKEN | {"JOURNEY_SERVE_USERS": str(users)})
    page = served.get("/sign-in").body.decode()
    assert all(one in page for one in ("Sign in with 127.0.0.1", 'name="password"', 'name="token"'))
    by_password = served.sign_in(name="ada", password=PASSWORD)
    by_provider = cookie_of(go(served))
    account = served.get("/account", cookie=by_provider).body.decode()
    assert f"ada ({urlsplit(provider.issuer).netloc})" in account
    assert "New password" not in account
    assert account.count("<tr") == 2
    fields = {"password": PASSWORD, "new": "a kettle on the hob", "again": "a kettle on the hob"}
    assert served.post("/account/password", fields, cookie=by_provider).status == 404
    assert "New password" in served.get("/account", cookie=by_password).body.decode()


@pytest.mark.long
def test_the_sessions_of_a_user_of_the_provider_are_listed_and_end_after_authenticating_again(
    dashboard: Start, provider: IdentityProvider
) -> None:
    served = dashboard(settings_for(provider))
    phone = cookie_of(go(served))
    # Renamed and with another role meanwhile, but the same subject.
    provider.user |= {"preferred_username": "ada.lovelace", "groups": ["staff"]}
    laptop = cookie_of(go(served, "/account"))
    page = served.get("/account", cookie=laptop).body.decode()
    assert page.count("<tr") == 3
    assert "Authenticate again" in page
    assert 'name="session"' not in page
    other = served.access.sign_ins
    from reports.web.access.sessions import hash_cookie

    of_phone = hash_cookie(phone.partition("=")[2])
    assert served.post("/account/sessions/end", {"session": of_phone}, cookie=laptop).status == 403
    answer = served.get("/sign-in/oidc?again=1&next=/account", cookie=laptop)
    asked = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    attempt = answer.headers["set-cookie"].partition(";")[0]
    answer = back(served, at_provider(answer.headers["location"]), f"{laptop}; {attempt}")
    present = cookie_of(answer)
    assert served.get("/account", cookie=laptop).status == 303, "the session that the browser had has ended"
    assert f'name="session" value="{of_phone}"' in served.get("/account", cookie=present).body.decode()
    assert served.post("/account/sessions/end", {"session": of_phone}, cookie=present).status == 303
    assert served.get("/", cookie=phone).status == 303
    assert other


def test_who_was_not_asked_to_authenticate_again_has_not_proved_to_be_there(
    dashboard: Start, provider: IdentityProvider
) -> None:
    served = dashboard(settings_for(provider))
    provider.change_claims = lambda claims: claims | {"auth_time": int(time()) - 4000}
    assert go(served).status == 303
    answer = served.get("/sign-in/oidc?again=1&next=/account")
    attempt = answer.headers["set-cookie"].partition(";")[0]
    assert back(served, at_provider(answer.headers["location"]), attempt).status == 403
    for odd in (10**400, -1, 1e300, "now", True):
        provider.change_claims = lambda claims, odd=odd: claims | {"auth_time": odd}  # type: ignore[misc]
        answer = served.get("/sign-in/oidc?again=1&next=/account")
        attempt = answer.headers["set-cookie"].partition(";")[0]
        assert back(served, at_provider(answer.headers["location"]), attempt).status in {303, 403, 429, 502}, odd


@pytest.mark.long
def test_a_name_is_shown_in_one_line_and_bounded_whatever_it_is(
    dashboard: Start, provider: IdentityProvider, users: Path
) -> None:
    served = dashboard(settings_for(provider) | {"JOURNEY_SERVE_USERS": str(users)})
    for name, shown in (
        ("x" * 500, "x" * 63 + "…"),
        ("Ada\n\u202eLovelace\x1b[2J", "Ada Lovelace[2J"),
        ("<b>ada</b>", "&lt;b&gt;ada&lt;/b&gt;"),
        (" ", "248289761001"),
        (7, "248289761001"),
        ("token", f"token ({urlsplit(provider.issuer).netloc})"),
        ("cy", f"cy ({urlsplit(provider.issuer).netloc})"),
    ):
        provider.user["preferred_username"] = name
        assert f">{shown}</a>" in served.get("/", cookie=cookie_of(go(served))).body.decode(), name


def test_an_attempt_is_not_begun_by_a_picture_of_a_page_elsewhere(dashboard: Start, provider: IdentityProvider) -> None:
    answer = dashboard(settings_for(provider)).get("/sign-in/oidc", sec_fetch_dest="image")
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


def test_signing_out_leads_to_the_provider_without_a_token_in_an_address(dashboard: Start, provider: IdentityProvider) -> None:
    served = dashboard(settings_for(provider))
    cookie = cookie_of(go(served))
    answer = served.post("/sign-out", {}, cookie=cookie)
    assert (answer.status, answer.headers["clear-site-data"]) == (200, '"cache", "storage"')
    page = answer.body.decode()
    assert f"{provider.issuer}/end_session?client_id=monitor&amp;post_logout_redirect_uri=" in page
    assert "id_token" not in page
    assert "Sign out<" not in page
    assert served.get("/", cookie=cookie).status == 303
    provider.metadata = {"end_session_endpoint": None}
    served = dashboard(settings_for(provider))
    page = served.post("/sign-out", {}, cookie=cookie_of(go(served))).body.decode()
    assert "but not of 127.0.0.1" in page


def test_other_settings_end_the_sessions_that_the_provider_has_vouched_for(
    dashboard: Start, provider: IdentityProvider
) -> None:
    cookie = cookie_of(go(dashboard(settings_for(provider))))
    assert dashboard(settings_for(provider)).get("/", cookie=cookie).status == 200
    assert dashboard(settings_for(provider, ROLES="operators=view")).get("/", cookie=cookie).status == 303
    assert dashboard(WITH_TOKEN).get("/", cookie=cookie).status == 303


# What may be wrong with an answer


def test_an_answer_counts_in_the_browser_of_the_attempt_once_and_in_time(dashboard: Start, provider: IdentityProvider) -> None:
    served = dashboard(settings_for(provider))
    address, cookie = begin(served)
    there = at_provider(address)
    _, other = begin(served)
    for wrong in (
        "",
        other,
        cookie + "x",
        cookie.replace("%2Fruns", "%2F%2Fevil.example"),
        "journey-attempt=x.1.0./",
        "journey-attempt=\xff",
    ):
        answer = back(served, there, wrong)
        assert answer.status == 400, wrong
        assert "was not begun in this browser" in answer.body.decode()
    assert back(served, there.replace("state=", "state=x"), cookie).status == 400
    assert back(served, there, cookie).status == 303
    assert back(served, there, cookie).status == 400, "replayed"
    assert served.get("/sign-in/oidc/callback").status == 400
    attempt = begin_attempt("/", 1000.0)
    assert restore_attempt(attempt.cookie, 1000.0 + LASTS + 1) is None
    assert restore_attempt(attempt.cookie, 999.0) is None


def test_a_code_counts_once_and_for_the_attempt_that_it_was_issued_for(dashboard: Start, provider: IdentityProvider) -> None:
    served = dashboard(settings_for(provider))
    address, cookie = begin(served)
    code = dict(parse_qsl(urlsplit(at_provider(address)).query))["code"]
    # Stolen, and brought in with an attempt of the thief's own: the verifier is another.
    stolen, thief = begin(served)
    state = dict(parse_qsl(urlsplit(stolen).query))["state"]
    answer = served.get(f"/sign-in/oidc/callback?{urlencode({'code': code, 'state': state})}", cookie=thief)
    assert answer.status == 400
    assert back(served, f"/sign-in/oidc/callback?code={code}&state=x", cookie).status == 400


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "/%0d%0aevil", "javascript:alert(1)", "/" + "x" * 3000]
)
def test_the_way_back_stays_on_the_dashboard(dashboard: Start, provider: IdentityProvider, to: str) -> None:
    served = dashboard(settings_for(provider))
    assert go(served, to).headers["location"] in {"/", "/%0d%0aevil"}


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"iss": "https://evil.example"}, "it is issued by https://evil.example; set oidc_issuer"),
        ({"aud": "another"}, "it is issued to another; set oidc_client_id"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "set oidc_client_id"),
        ({"aud": []}, "oidc_client_id"),
        ({"nonce": "of another attempt"}, "it belongs to another sign-in"),
        ({"nonce": None}, "the ID token lacks nonce"),
        ({"exp": int(time()) - 4000, "iat": int(time()) - 8000}, "set the clocks of both machines (NTP)"),
        ({"exp": int(time()) + 8000, "iat": int(time()) + 4000}, "set the clocks of both machines (NTP)"),
        ({"exp": None}, "the ID token lacks exp"),
        ({"exp": "tomorrow"}, "ends at no known time"),
        ({"exp": 10**400}, ""),
        ({"iat": None}, "the ID token lacks iat"),
        ({"sub": None}, "the ID token lacks sub"),
        ({"sub": ["x"]}, "sub"),
        ({"sub": "x" * 300}, "no subject of 1 to 255 characters"),
        ({"at_hash": "wrong"}, "it does not belong to the access token"),
    ],
)
def test_an_id_token_that_is_not_valid_is_refused_with_the_setting_and_the_fix(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str], change: dict[str, Any], cause: str
) -> None:
    served = dashboard(settings_for(provider))
    provider.change_claims = lambda claims: {name: one for name, one in (claims | change).items() if one is not None}
    answer = go(served)
    if not cause:
        assert answer.status in {303, 502}
        return
    assert answer.status == 502, answer.headers
    assert "is not valid; the log of `journey serve` says why" in answer.body.decode()
    assert cause in causes()


def unsigned(claims: dict[str, Any]) -> str:
    """A token with `alg: none`."""
    parts = [urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in ({"alg": "none"}, claims)]
    return ".".join([*parts, ""])


@pytest.mark.long
def test_a_token_with_another_signature_is_refused(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.metadata = {"id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]}
    served = dashboard(settings_for(provider))
    assert go(served).status == 303
    provider.algorithm = "HS256"
    assert go(served).status == 502
    assert "let it use RS256" in causes()
    provider.algorithm = "RS256"
    give = provider.give_tokens

    def tampered(form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        nonce = provider.codes[form["code"]]["nonce"]
        status, answer = give(form, authorization)
        claims = {
            "iss": provider.issuer,
            "aud": CLIENT,
            "iat": int(time()),
            "exp": int(time()) + 99,
            "nonce": nonce,
            **provider.user,
        }
        token = (
            unsigned(claims)
            if tampered_with == "none"
            else answer["id_token"][:-8] + "AAAAAAAA"
            if tampered_with == "end"
            else tampered_with
        )
        return status, answer | {"id_token": token}

    monkeypatch.setattr(provider, "give_tokens", tampered)
    for tampered_with in ("none", "end", "x", "..", "a.b.c", ""):
        served = dashboard(settings_for(provider))
        assert go(served).status == 502, tampered_with


def test_the_providers_keys_may_change_while_the_server_runs(
    dashboard: Start, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.web.access.oidc.provider.AGAIN", 0.0)
    served = dashboard(settings_for(provider))
    assert go(served).status == 303
    assert go(served).status == 303
    assert provider.requests.count("/jwks") == 1
    provider.rotate()
    assert go(served).status == 303
    assert provider.requests.count("/jwks") == 2
    assert provider.requests.count("/.well-known/openid-configuration") == 1


def test_unknown_keys_make_no_more_requests_than_one_every_few_seconds(dashboard: Start, provider: IdentityProvider) -> None:
    served = dashboard(settings_for(provider))
    assert go(served).status == 303
    provider.algorithm = "HS256"
    for _ in range(3):
        assert go(served).status == 502
    assert provider.requests.count("/jwks") == 1


# What may be wrong with the provider, or the settings


def refused_at_the_beginning(served: Visited) -> Answer:
    """The answer where the browser cannot even be sent to the provider."""
    answer = served.get("/sign-in/oidc")
    assert answer.status == 502
    assert "The identity provider cannot be used at the moment; the log of `journey serve` says why." in answer.body.decode()
    return answer


@pytest.mark.parametrize(
    ("metadata", "cause"),
    [
        ({"issuer": "https://evil.example"}, "is of the issuer 'https://evil.example', not of"),
        ({"token_endpoint": "http://login.example/token"}, "names an address that is not secure"),
        ({"jwks_uri": "file:///etc/passwd"}, "names an address that is not secure"),
        ({"token_endpoint": None}, "does not describe an OpenID provider"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not offer PKCE with S256"),
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str], metadata: dict[str, Any], cause: str
) -> None:
    provider.metadata = metadata
    served = dashboard(settings_for(provider))
    refused_at_the_beginning(served)
    assert "oidc_issuer: " in causes()
    assert cause in causes()


def test_a_provider_that_is_away_is_an_error_with_its_name_and_passwords_still_work(
    dashboard: Start, provider: IdentityProvider, users: Path, causes: Callable[[], str]
) -> None:
    provider.down = True
    served = dashboard(settings_for(provider) | {"JOURNEY_SERVE_USERS": str(users)})
    for _ in range(5):
        refused_at_the_beginning(served)
    assert len(provider.requests) == 1, "strangers can make the server send requests at will"
    assert "answers 503; oidc_issuer must be the address" in causes()
    assert served.sign_in(name="ada", password=PASSWORD)
    served = dashboard(settings_for(provider, ISSUER="http://127.0.0.1:1"))
    refused_at_the_beginning(served)
    assert "http://127.0.0.1:1/.well-known/openid-configuration cannot be reached" in causes()


@pytest.mark.long
def test_requests_to_the_provider_follow_no_redirects_and_are_bounded(
    dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]
) -> None:
    with serving_identities() as other:
        provider.moved = f"{other.issuer}/.well-known/openid-configuration"
        refused_at_the_beginning(dashboard(settings_for(provider)))
        assert f"redirects to {other.issuer}/.well-known/openid-configuration, and redirects are not followed" in causes()
        assert other.requests == []
    provider.moved = ""
    for raw, cause in (
        (b"<html>", "answers 200 with something other than a JSON object"),
        (b"[]", "answers 200 with something other than a JSON object"),
        (b"\xff\xfe", "answers 200 with something other than a JSON object"),
        (b"{}", "does not describe an OpenID provider"),
        (b" " * 1_100_000, "answers with more than 1000000 bytes"),
    ):
        provider.raw = raw
        refused_at_the_beginning(dashboard(settings_for(provider)))
        assert cause in causes(), raw[:10]


def test_a_wrong_client_secret_is_named(dashboard: Start, provider: IdentityProvider, causes: Callable[[], str]) -> None:
    served = dashboard(settings_for(provider, CLIENT_SECRET="another secret, which is wrong"))
    assert go(served).status == 502
    assert (
        "oidc_client_secret: the provider rejects the secret of the client monitor; set JOURNEY_OIDC_CLIENT_SECRET" in causes()
    )
    assert "another secret" not in causes()


def test_the_secret_may_be_sent_in_the_form(dashboard: Start, provider: IdentityProvider) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert go(dashboard(settings_for(provider))).status == 303


@pytest.mark.parametrize(
    ("given", "status", "text", "cause"),
    [
        (
            {"error": "access_denied", "code": ""},
            403,
            "has refused the sign-in (access_denied)",
            "the provider has refused the user",
        ),
        ({"error": "invalid_scope", "code": ""}, 502, "could not carry out", "oidc_scopes: "),
        ({"error": "unauthorized_client", "code": ""}, 502, "could not carry out", "oidc_client_id: "),
        ({"error": "<script>alert(1)</script>\x1b[2J" * 40, "code": ""}, 502, "could not carry out", "oidc_issuer: "),
        ({"code": ""}, 400, "is not valid", "neither a code nor an error"),
        ({"iss": "https://evil.example"}, 400, "is not valid", "the answer comes from https://evil.example"),
    ],
)
def test_an_error_of_the_provider_is_shown_and_explained_in_the_log(
    dashboard: Start,
    provider: IdentityProvider,
    causes: Callable[[], str],
    given: dict[str, str],
    status: int,
    text: str,
    cause: str,
) -> None:
    provider.answer = given
    served = dashboard(settings_for(provider))
    answer = go(served)
    assert (answer.status, text in answer.body.decode()) == (status, True)
    assert cause in causes()
    assert "<script>alert" not in answer.body.decode()
    assert "\x1b" not in causes()


def test_an_issuer_in_the_answer_is_demanded_from_a_provider_that_promises_it(
    dashboard: Start, provider: IdentityProvider
) -> None:
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    assert go(dashboard(settings_for(provider))).status == 303
    provider.answer = {"iss": ""}
    assert go(dashboard(settings_for(provider))).status == 400


def test_made_up_answers_are_slowed_down_without_keeping_passwords_out(
    dashboard: Start, provider: IdentityProvider, users: Path
) -> None:
    # All of it in one moment: each answer is waited for longer than the one before.
    served = dashboard(settings_for(provider) | {"JOURNEY_SERVE_USERS": str(users)}, clock=lambda: 0.0)
    statuses = []
    for _ in range(8):
        address, cookie = begin(served)
        state = dict(parse_qsl(urlsplit(address).query))["state"]
        statuses.append(served.get(f"/sign-in/oidc/callback?code=guess&state={state}", cookie=cookie).status)
    assert statuses[:5] == [400] * 5
    assert set(statuses[6:]) == {429}
    assert provider.requests.count("/token") <= 6
    assert served.sign_in(name="ada", password=PASSWORD)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"CLIENT_ID": ""}, "oidc_issuer is set, but oidc_client_id is not; set oidc_client_id to the name"),
        ({"CLIENT_SECRET": ""}, r"oidc_client_secret is not; set JOURNEY_OIDC_CLIENT_SECRET \(or oidc_client_secret_file\)"),
        ({"ROLES": ""}, "oidc_roles is not; set oidc_roles to who may do what"),
        ({"ISSUER": ""}, "oidc_client_id is set, but oidc_issuer is not"),
        ({"ISSUER": "http://login.example"}, "JOURNEY_OIDC_ISSUER: 'http://login.example' is not safe.*write an https address"),
        ({"ISSUER": "login.example"}, "JOURNEY_OIDC_ISSUER: .*did you mean 'https://login.example'"),
        ({"ISSUER": "https://me:pw@login.example"}, "JOURNEY_OIDC_ISSUER: is not the address of an issuer"),
        ({"SCOPES": "profile"}, "JOURNEY_OIDC_SCOPES: 'profile' lacks 'openid'"),
        ({"ROLES": "operators=admin"}, "JOURNEY_OIDC_ROLES: the role of 'operators' is 'admin'; choose one of view, operate"),
        ({"ROLES": "operators"}, "JOURNEY_OIDC_ROLES: "),
        ({"CA_FILE": "none.pem"}, "oidc_ca_file: .*none.pem cannot be used as certificates"),
    ],
)
def test_settings_that_lack_something_are_refused_with_the_fix(
    tmp_path: Path, provider: IdentityProvider, given: dict[str, str], why: str
) -> None:
    with pytest.raises(ConfigError, match=why), Store(f"sqlite:///{tmp_path / 'one.db'}") as store:
        Authenticator(load_settings(tmp_path, {}, settings_for(provider, **given)), store)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"JOURNEY_SERVE_LISTEN": "0.0.0.0:8321"}, "sends browsers back to public_url, which is not set"),
        (
            {"JOURNEY_PUBLIC_URL": "http://monitor.example"},
            "which is http://monitor.example, which anybody on the way can read|anybody on the way",
        ),
        ({"JOURNEY_PUBLIC_URL": "https://monitor.example", "JOURNEY_SERVE_LISTEN": "0.0.0.0:8321"}, ""),
        ({"JOURNEY_PUBLIC_URL": "http://localhost:8321"}, ""),
    ],
)
def test_browsers_are_sent_back_to_an_address_that_nobody_else_reads(
    tmp_path: Path, provider: IdentityProvider, more: dict[str, str], why: str
) -> None:
    settings = load_settings(tmp_path, {}, settings_for(provider) | more)
    with Store(f"sqlite:///{tmp_path / 'one.db'}") as store:
        if not why:
            assert Authenticator(settings, store).oidc
            return
        with pytest.raises(ConfigError, match=why):
            Authenticator(settings, store)


def test_the_client_secret_is_never_written_in_the_configuration_and_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("oidc_client_secret = 'x'")
    with pytest.raises(ConfigError, match="oidc_client_secret must not be in a file that others can read"):
        load_settings(tmp_path, {}, {})
    (tmp_path / "secret").write_text("from a file\n")
    (tmp_path / "journey.toml").write_text("oidc_client_secret_file = 'secret'\n[oidc_roles]\noperators = 'operate'")
    settings = load_settings(tmp_path, {}, {})
    assert settings.oidc_client_secret
    assert settings.oidc_client_secret.reveal() == "from a file"
    assert settings.oidc_roles == {"operators": "operate"}


@pytest.mark.long
def test_behind_a_proxy_browsers_come_back_to_the_public_address_with_secure_cookies(
    dashboard: Start, provider: IdentityProvider
) -> None:
    served = dashboard(settings_for(provider) | {"JOURNEY_PUBLIC_URL": "https://monitor.example/watch/"})
    answer = served.get("/sign-in/oidc", host="monitor.example")
    asked = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert asked["redirect_uri"] == "https://monitor.example/watch/sign-in/oidc/callback"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-journey-attempt=")
    assert all(one in cookie for one in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))


def test_what_is_wrong_with_the_provider_is_in_the_log_from_the_start(
    tmp_path: Path, provider: IdentityProvider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("journey"), "propagate", True)
    with Store(f"sqlite:///{tmp_path / 'one.db'}") as store:
        access = Authenticator(load_settings(tmp_path, {}, settings_for(provider)), store)
        assert access.oidc
        access.oidc.check_at_start()
        assert caplog.text == ""
        provider.metadata = {"issuer": "https://evil.example"}
        access = Authenticator(load_settings(tmp_path, {}, settings_for(provider)), store)
        assert access.oidc
        access.oidc.check_at_start()
    assert "nobody can sign in through the identity provider: oidc_issuer: " in caplog.text
