"""Every form in which a secret can stand in a file, and what must stay as it is."""

import gzip
import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from runner.redaction import HIDDEN, Redactor

AWKWARD = "pä$$ \"w<o>r&d'/\\+=\t€𝄞"
PLAIN = "correct-horse"

FORMS: dict[str, Callable[[str], str]] = {
    "verbatim": str,
    "url": quote,
    "url, nothing safe": lambda text: quote(text, safe=""),
    "url, lower case": lambda text: quote(text, safe="").replace("%C3", "%c3").replace("%2F", "%2f"),
    "form": quote_plus,
    "url twice": lambda text: quote(quote(text, safe=""), safe=""),
    "html": html.escape,
    "html without quotes": lambda text: html.escape(text, quote=False),
    "html twice": lambda text: html.escape(html.escape(text)),
    "html by numbers": lambda text: "".join(one if one.isalnum() and one.isascii() else f"&#{ord(one)};" for one in text),
    "html by hex": lambda text: "".join(one if one.isalnum() and one.isascii() else f"&#x{ord(one):X};" for one in text),
    "json": json.dumps,
    "json with unicode": lambda text: json.dumps(text, ensure_ascii=False),
    "json with slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "json twice": lambda text: json.dumps(json.dumps(text)),
    "json in url": lambda text: quote(json.dumps(text), safe=""),
    "json in html": lambda text: html.escape(json.dumps(text)),
    "html in json": lambda text: json.dumps(html.escape(text)),
    "html in url": lambda text: quote(html.escape(text), safe=""),
    "url in html": lambda text: html.escape(quote(text)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [AWKWARD, PLAIN])
def test_a_secret_is_found_in_every_form(secret: str, form: str) -> None:
    written = FORMS[form](secret)
    clean = Redactor([secret]).text(f"before {written} after")
    assert clean.count(HIDDEN) == 1, written
    left = clean.replace("before ", "").replace(" after", "").replace(HIDDEN, "")
    assert set(left) <= set('"\\%225C&quot;'), left


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", [b"", b"u", b"us", b"user:", b"user12:"])
@pytest.mark.parametrize("after", [b"", b"x", b"xy", b"xyz"])
@pytest.mark.parametrize("secret", [AWKWARD, PLAIN, "1234", "ab>?~~"])
def test_a_secret_is_found_in_base64_at_every_alignment(
    secret: str, before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    written = encode(before + secret.encode() + after).decode()
    for text in (written, quote(written, safe=""), written.rstrip("=")):
        clean = Redactor([secret]).text(text)
        assert HIDDEN in clean
        head, _, tail = clean.partition(HIDDEN)
        # What is left belongs to the surroundings only; up to four bits of padding may follow.
        assert len(head) * 6 <= len(before) * 8
        assert len(tail.replace("%3D", "").rstrip("=")) * 6 <= len(after) * 8 + 4


def test_the_longer_of_two_secrets_leaves_nothing_behind() -> None:
    assert Redactor(["oolong", "oolong-and-milk"]).text("oolong-and-milk, oolong") == f"{HIDDEN}, {HIDDEN}"


def test_a_secret_of_several_lines_is_found_as_a_whole_and_by_line() -> None:
    key = "-----BEGIN KEY-----\nMIIBVQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    redactor = Redactor([key])
    assert redactor.text(json.dumps(key)) == f'"{HIDDEN}\\n"'
    assert "hkiG9w0BAQEFAASC" not in redactor.text("  hkiG9w0BAQEFAASC")


def test_what_is_too_short_to_be_told_apart_is_left() -> None:
    assert Redactor(["abc"]).text("abc abcd") == "abc abcd"


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ({"name": "Cookie", "value": "sid=1; theme=dark"}, {"name": "Cookie", "value": "sid=•••; theme=•••"}),
        (
            {"name": "set-cookie", "value": "sid=1; HttpOnly\na=2"},
            {"name": "set-cookie", "value": "sid=•••; HttpOnly\na=•••"},
        ),
        ({"name": "Authorization", "value": "Basic bWU6cHc="}, {"name": "Authorization", "value": "Basic •••"}),
        ({"Authorization": "abc"}, {"Authorization": "•••"}),
        ({"X-Api-Key": "abc"}, {"X-Api-Key": "•••"}),
        ({"cookies": [{"name": "sid", "value": "1"}]}, {"cookies": [{"name": "sid", "value": "•••"}]}),
        ({"httpCredentials": {"username": "me", "password": "pw"}}, {"httpCredentials": {"username": "me", "password": "•••"}}),
        ({"url": "https://me:pw@shop.example/"}, {"url": "https://•••@shop.example/"}),
        ({"text": "Authorization: Bearer abc"}, {"text": "Authorization: •••"}),
        ({"text": "use Bearer abcdefgh12345"}, {"text": "use Bearer •••"}),
        ({"jwt": "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln"}, {"jwt": "•••"}),
        ({"name": "Accept", "value": "text/html"}, {"name": "Accept", "value": "text/html"}),
    ],
)
def test_credentials_need_not_be_declared(value: Any, hidden: Any) -> None:
    assert json.loads(Redactor().json(json.dumps(value).encode())) == hidden


def test_a_pattern_of_the_user_is_hidden_everywhere() -> None:
    redactor = Redactor(patterns=[r"card=\d+", r'"quoted"'])
    assert redactor.text("pay?card=4242&x=1") == f"pay?{HIDDEN}&x=1"
    # Found in the string itself, not in its escaped form.
    assert json.loads(redactor.json(json.dumps({"a": 'a "quoted" word'}).encode())) == {"a": f"a {HIDDEN} word"}


def test_numbers_and_references_keep_a_documents_structure() -> None:
    document = {"time": 1791234567.5, "code": 123456, "sha1": "0123456789.html", "n": 1123456, "text": "123456"}
    clean = json.loads(Redactor(["123456", "0123456789"]).json(json.dumps(document).encode()))
    assert clean == {**document, "code": 0, "text": HIDDEN}


def test_bodies_are_unpacked_and_those_that_cannot_be_are_not_kept() -> None:
    redactor = Redactor([PLAIN])
    packed = gzip.compress(f"a {PLAIN} b".encode())
    assert gzip.decompress(redactor.body(packed)).decode() == f"a {HIDDEN} b"
    untouched = gzip.compress(b"nothing")
    assert redactor.body(untouched) is untouched
    assert b"not kept" in redactor.body(b"\x28\xb5\x2f\xfd whatever")
    assert b"not kept" in redactor.body(b"\x1f\x8b whatever")


def test_an_embedded_body_in_base64_is_redacted_inside() -> None:
    document = {"encoding": "base64", "text": b64encode(f"a {PLAIN} b".encode()).decode()}
    clean = json.loads(Redactor([PLAIN]).json(json.dumps(document).encode()))
    assert clean["text"] == b64encode(f"a {HIDDEN} b".encode()).decode()


def test_what_holds_nothing_comes_back_as_the_same_object() -> None:
    redactor = Redactor([PLAIN])
    document = b'{"a": [1, "two"]}'
    assert redactor.json(document) is document
    assert redactor.body(document) is document
