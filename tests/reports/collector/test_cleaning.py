"""What must not be kept is not kept, whatever is sent."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.collector.beacon import Beacon, decode_beacon
from reports.collector.privacy.scrub_beacon import MOST, scrub_beacon
from reports.collector.privacy.scrubber import HIDDEN, Scrubber
from tests.support.services.collector import beacon, view
from tests.support.thorough import thorough_but

CLEANER = Scrubber(["page"])
WORDS = st.text(st.characters(codec="utf-8"), max_size=80)
SECRET = "s3cr3tvalue"


@pytest.mark.parametrize(
    ("address", "clean"),
    [
        ("https://shop.example/cart?token=x&page=2&utm=y#top", "https://shop.example/cart?page=2"),
        ("https://ann:pw@shop.example:8443/cart", "https://shop.example:8443/cart"),
        ("https:ann:pw@shop.example/cart", "https:shop.example/cart"),
        ("//shop.example/cart?x", "//shop.example/cart"),
        ("/cart;jsessionid=1/pay", "/cart/pay"),
        (
            "https://shop.example/o/550e8400-e29b-41d4-a716-446655440000",
            "https://shop.example/o/550e8400-e29b-41d4-a716-446655440000",
        ),
        ("https://shop.example/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc", f"https://shop.example/reset/{HIDDEN}"),
        ("https://shop.example/reset/a8f5f167f44f4964e6c998dee827110c", f"https://shop.example/reset/{HIDDEN}"),
        ("https://shop.example/u/ann@mail.example", f"https://shop.example/u/{HIDDEN}"),
        ("data:text/html,<b>ann", "data:"),
        ("javascript:alert(1)", "javascript:"),
        ("file:///home/ann/x.html", "file:"),
        ("blob:https://shop.example/8a3b", "blob:https://shop.example/8a3b"),
        ("blob: blob: blob:https://shop.example/8a3b?x=1", "blob:blob:"),
        ("blob: https://ann:pw@shop.example/8a3b", "blob:https://shop.example/8a3b"),
        ("about:blank", "about:blank"),
        ("", ""),
    ],
)
def test_an_address_loses_what_it_must_not_keep(address: str, clean: str) -> None:
    assert CLEANER.url(address) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Failed to fetch https://shop.example/api?token=1&page=2: no", "Failed to fetch https://shop.example/api?page=2: no"),
        ("at f (https://shop.example/app.js?v=8:10:5)", "at f (https://shop.example/app.js:10:5)"),
        ("f@https://shop.example/app.js?v=8:10:5", "f@https://shop.example/app.js:10:5"),
        ("at h (webpack:///./src/x.js?abc:3:4)", "at h (webpack:///./src/x.js:3:4)"),
        ("GET /login?token=abc failed", "GET /login failed"),
        ('{"email":"ann@mail.example"}', f'{{"email":"{HIDDEN}"}}'),
        ("ann%40mail.example is unknown", f"{HIDDEN} is unknown"),
        ("to%3Aann%40mail.example, x%40ann@mail.example", f"{HIDDEN}, x%40{HIDDEN}"),
        ("100%@home.example, a@b.example%40c.example", f"{HIDDEN}, {HIDDEN}%40c.example"),
        ("a@b.ca@b.ca@b.c", f"{HIDDEN}@{HIDDEN}"),
        ("@types/node and user@localhost and a @ b.example", "@types/node and user@localhost and a @ b.example"),
        ("pay\u202egpj.exe\u2066 \x9b31m\u2028now", "paygpj.exe 31mnow"),
        ("card 4111 1111 1111 1111 was declined", f"card {HIDDEN} was declined"),
        ("key sk_live_51H8xkQ2eZvKYlo2C0123456789abcdef", f"key {HIDDEN}"),
        ("postgres://ann:pw@db/shop is down", "postgres: is down"),
        ("order 550e8400-e29b-41d4-a716-446655440000 is gone", "order 550e8400-e29b-41d4-a716-446655440000 is gone"),
        ("Cannot read properties of undefined (reading 'x')", "Cannot read properties of undefined (reading 'x')"),
        ("Is this ok? It took 12:30:45", "Is this ok? It took 12:30:45"),
    ],
)
def test_a_text_loses_what_it_must_not_keep(text: str, clean: str) -> None:
    assert CLEANER.text(text) == clean


@pytest.mark.long
@given(WORDS, WORDS, WORDS)
def test_no_address_keeps_credentials_query_or_fragment(user: str, path: str, rest: str) -> None:
    without = re.compile(r"[/?#\\@]")
    address = f"https://{without.sub('', user)}:{SECRET}@shop.example/{without.sub('', path)}?a={SECRET}&page=1{without.sub('', rest)}#{SECRET}"
    clean = CLEANER.url(address)
    assert SECRET not in clean
    assert clean.startswith("https://shop.example/")


@given(WORDS, WORDS)
def test_no_text_keeps_the_query_of_an_address_in_it(before: str, after: str) -> None:
    assert SECRET not in CLEANER.text(f"{before} https://shop.example/x?t={SECRET} {after}")


@given(st.text(max_size=300))
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert CLEANER.text(CLEANER.text(text)) == CLEANER.text(text)
    assert CLEANER.url(CLEANER.url(text)) == CLEANER.url(text)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_beacon_or_a_clear_error(body: bytes) -> None:
    try:
        decode_beacon(body)
    except (ValueError, RecursionError):
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | WORDS,
    lambda one: st.lists(one) | st.dictionaries(WORDS, one),
    max_leaves=8,
)


@pytest.mark.long
@given(st.dictionaries(st.sampled_from(Beacon.__struct_fields__) | WORDS, JSON))
def test_any_document_is_a_beacon_or_a_clear_error(document: dict[str, object]) -> None:
    import msgspec

    try:
        found = decode_beacon(msgspec.json.encode(document))
    except ValueError:
        return
    scrub_beacon(found, CLEANER)


def test_cleaning_leaves_a_beacon_that_can_be_sent_again() -> None:
    import msgspec

    from tests.support.services.collector import beacon, view

    sent = beacon(view(vitals=[{"name": "cls", "id": "v", "value": 0.1}], interactions=[{"type": "click", "name": "Buy"}]))
    found = decode_beacon(msgspec.json.encode(sent))
    assert decode_beacon(msgspec.json.encode(scrub_beacon(found, CLEANER))) == found


HOSTILE = {
    "addresses in addresses": "blob: " * 20_000,
    "letters and no scheme": ":// " + "a" * 400_000 + ":1",
    "words without an address": "a" * 400_000 + " b://c",
    "mail": "a@b.c" * 60_000,
    "digits": "1 1 1 1 1 1 1 1 1 1 1 x" * 10_000,
    "words that are nearly long": ("a" * 31 + " ") * 10_000,
    "parts of ids": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaa " * 10_000,
    "beginnings of tokens": "-eyJ" * 100_000,
    "questions": "?a" * 100_000,
}


@pytest.mark.long
@pytest.mark.parametrize("kind", thorough_but(3, HOSTILE))
def test_no_text_takes_longer_than_its_length_asks_for(kind: str) -> None:
    # With the square of the length each of these would take an hour: the test would not end in its time.
    text = HOSTILE[kind]
    assert CLEANER.text(text) is not None
    assert CLEANER.url(text) is not None
    assert len(CLEANER.text(text + " https://ann:pw@shop.example/x?token=1")) > 0


def test_a_beacon_keeps_no_more_text_than_pages_can_send() -> None:
    stacks = ["".join(f"at f{n} (https://shop.example/app.js:{n}:{number})\n" for n in range(170)) for number in range(20)]
    errors = [{"kind": "error", "message": f"boom {number}", "stack": stack} for number, stack in enumerate(stacks)]
    sent = beacon(view(errors=errors), view(url="https://shop.example/last"))
    first, last = scrub_beacon(decode_beacon(json.dumps(sent).encode()), Scrubber()).views
    kept = [one.stack for one in first.errors]
    assert kept[:5] == stacks[:5]
    assert not any(kept[10:])
    assert sum(map(len, kept)) <= MOST
    # What does not fit is left out, the error itself is not.
    assert len(first.errors) == 20
    assert last.url == ""
