"""Every form in which a secret can stand in a file, and what must stay as it is."""

import gzip
import html
import json
import random
import re
import zlib
from base64 import b64decode, b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal
from unicodedata import normalize
from urllib.parse import quote, quote_plus

import brotli
import msgspec
import pytest
import zstandard

from runner.codec import encode
from runner.events import StepEnded
from runner.redaction import HIDDEN, Redactor
from runner.redaction.bodies import UNREADABLE
from runner.redaction.document_forms import MESSAGE, PLAYWRIGHT
from runner.result import StepResult
from runner.workers.messages import from_worker
from tests.support.thorough import thorough_but

AWKWARD = "pä$$ \"w<o>r&d'/\\+=\t€𝄞"
PLAIN = "correct-horse"
Composed = Literal["NFC", "NFD"]


def units(text: str) -> list[int]:
    """The code units of UTF-16, as JavaScript counts them."""
    raw = text.encode("utf-16-be")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


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
    "upper case": lambda text: text.upper() if "ß" not in text else text,
    "upper case in url": lambda text: quote(text.upper(), safe=""),
    "every character in url": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "every character in url twice": lambda text: "".join(f"%25{byte:02X}" for byte in text.encode()),
    "every character in javascript": lambda text: json.dumps("".join(f"\\u{unit:04x}" for unit in units(text)))[1:-1],
    "every character in javascript, by its number": lambda text: "".join(f"\\u{{{ord(one):x}}}" for one in text),
    "every character by number, without an end": lambda text: "".join(f"&#{ord(one)}" for one in text) + ";",
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "every character by number": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "escape()": lambda text: "".join(f"%u{unit:04X}" for unit in units(text)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [AWKWARD, PLAIN])
def test_a_secret_is_found_in_every_form(secret: str, form: str) -> None:
    written = FORMS[form](secret)
    clean = Redactor([secret]).text(f"before {written} after")
    assert clean.count(HIDDEN) == 1, written
    left = clean.replace("before ", "").replace(" after", "").replace(HIDDEN, "")
    assert set(left) <= set('"\\%225C&quot;'), left


LETTERS: dict[str, Callable[[str], str]] = {
    **{name: form for name, form in FORMS.items() if name.startswith("every character") and "without" not in name},
    "every character in hexadecimal of javascript": lambda text: "".join(
        f"\\x{ord(one):02x}" if ord(one) < 256 else one for one in text
    ),
    "every character by number in hexadecimal": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
}
"""Encoders that leave no letter as it is."""


@pytest.mark.parametrize("inner", LETTERS)
def test_escapes_of_escapes_and_of_base64_are_found(inner: str) -> None:
    for secret in (AWKWARD, PLAIN, 'M中X,<X3`ßR\\uE"3C{Qv}A6#I6%UB'):
        redactor = Redactor([secret])
        for outer in (*LETTERS.values(), *FORMS.values()):
            if outer not in (FORMS["hexadecimal"], FORMS["hexadecimal, upper case"]):
                written = outer(LETTERS[inner](secret))
                assert written not in redactor.text(f"before {written} after"), written
        for lines in (b64encode, encodebytes):
            written = LETTERS[inner](lines(f"user {'x' * 50} {secret} {'y' * 50}".encode()).decode())
            assert written not in redactor.text(f"before {written} after"), written


def test_what_is_escaped_without_a_secret_stays_as_it_is() -> None:
    redactor = Redactor([AWKWARD, PLAIN])
    for form in (*LETTERS.values(), *FORMS.values()):
        text = f"before {form('a harmless; <text> with % & {signs}')} and {form('%5Cx41&#38;#38;')} after"
        assert redactor.text(text) is text


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
    clean = json.loads(Redactor(["123456", "0123456789"]).json(json.dumps(document).encode(), PLAYWRIGHT))
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


LONG = "".join(f"{number:x}Zq{number * 7919:x}," for number in range(4000))


@pytest.mark.parametrize("secret", ["Zx9-Quokka+Marmalade/77=Tango", "oolong-and-milk", AWKWARD, LONG])
@pytest.mark.parametrize(
    "form", ["verbatim", "url, nothing safe", "html", "json twice", "upper case", "every character in url"]
)
def test_a_secret_that_is_typed_key_by_key_or_cut_is_hidden_from_half_of_it_on(secret: str, form: str) -> None:
    redactor = Redactor([secret])
    for length in {-(-len(secret) // 2), len(secret) - 1, min(len(secret) - 1, 40)}:
        beginning = secret[:length]
        clean = redactor.text(f"before {FORMS[form](beginning)} after")
        left = clean.replace("before ", "").replace(" after", "").replace(HIDDEN, "")
        assert HIDDEN in clean
        assert set(left) <= set('"\\%225C&quot;'), left


def test_the_beginning_of_a_word_is_no_secret_and_that_of_a_token_is() -> None:
    assert Redactor(["password-of-shop"]).text("Password: passwords") == "Password: passwords"
    assert Redactor(["k7Jq-wombat-quokka"]).text("q=k7Jq-w") == f"q={HIDDEN}"
    assert Redactor(["739146"]).text("73914 739146") == f"73914 {HIDDEN}"


@pytest.mark.parametrize("width", [64, 76])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\\r\\n", "%0D%0A", "\\u000a", "\\x0D\\x0A", "\\u{a}", "&#x0a;"])
@pytest.mark.parametrize("before", ["", "user:", "x" * 100])
def test_a_secret_is_found_in_lines_of_base64(width: int, newline: str, before: str) -> None:
    plain = f"{before}{AWKWARD} and what follows it {'y' * 200}"
    encoded = b64encode(plain.encode()).decode()
    lines = newline.join(encoded[at : at + width] for at in range(0, len(encoded), width))
    clean = Redactor([AWKWARD]).text(f"head{newline}{newline}{lines}{newline}tail")
    assert clean.startswith(f"head{newline}")
    assert clean.endswith(f"{newline}tail")
    at, size = len(before.encode()), len(AWKWARD.encode())
    inside = encoded[-(-at * 8 // 6) : (at + size) * 8 // 6]
    left = clean.replace(newline, "")
    # Where the text was on one line, it is hidden as text; else its lines are made anew, and can be decoded.
    decoded = (
        b64decode(left.removeprefix("head").removesuffix("tail"), validate=True).decode() if HIDDEN not in left else HIDDEN
    )
    assert HIDDEN in decoded
    assert not any(inside[start : start + 8] in left for start in range(0, len(inside) - 8, 4))


def test_a_secret_that_is_escaped_and_then_in_base64_is_found() -> None:
    for form in FORMS.values():
        written = b64encode(f"user={form(AWKWARD)}&x=1".encode()).decode()
        clean = Redactor([AWKWARD]).text(f"data:text/plain;base64,{written} end")
        assert clean.endswith(" end")
        inside = clean.partition(",")[2].partition(" ")[0]
        assert HIDDEN in (inside if HIDDEN in inside else b64decode(inside).decode()), form(AWKWARD)
    twice = b64encode(b64encode(f"padding {PLAIN} more padding".encode())).decode()
    assert HIDDEN in b64decode(Redactor([PLAIN]).text(twice)).decode()


def test_a_long_value_is_found_whole_torn_and_in_base64() -> None:
    redactor = Redactor([LONG])
    assert redactor.text(f"a {LONG} b") == f"a {HIDDEN} b"
    assert redactor.text(json.dumps(LONG)) == f'"{HIDDEN}"'
    middle = LONG[9000:9200]
    assert not {word for word in middle.split(",") if len(word) > 11} & set(redactor.text(f"a {middle} b").split(","))
    assert LONG[:40] not in redactor.text(LONG[:40])
    encoded = b64encode(f"user:{LONG}".encode()).decode()
    assert len(redactor.text(encoded)) < 20


@pytest.mark.long
def test_a_value_that_can_be_read_in_two_ways_leaves_nothing() -> None:
    for secret in ("a&amp;b&lt;c&amp;amp;" * 20, "100%25%2525" * 20, '\\"\\\\"' * 40 + "end1", "&#38;" * 50):
        for form in ("verbatim", "url, nothing safe", "html", "json", "json twice"):
            clean = Redactor([secret]).text(f"<{FORMS[form](secret)}>")
            assert HIDDEN in clean
            assert len(clean) < 24, (secret[:12], form, clean)


def packed_as_deflate(content: bytes) -> bytes:
    """Without any header, as `CompressionStream("deflate-raw")` makes it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


PACKED: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gzip": (gzip.compress, gzip.decompress),
    "gzip of two members": (lambda raw: gzip.compress(raw[:5]) + gzip.compress(raw[5:]), gzip.decompress),
    "deflate": (zlib.compress, zlib.decompress),
    "deflate, quick": (lambda raw: zlib.compress(raw, 1), zlib.decompress),
    "raw deflate": (packed_as_deflate, lambda raw: zlib.decompress(raw, -15)),
    "gzip of gzip": (lambda raw: gzip.compress(gzip.compress(raw)), lambda raw: gzip.decompress(gzip.decompress(raw))),
    "utf-16": (lambda raw: raw.decode().encode("utf-16"), lambda raw: raw.decode("utf-16").encode()),
    "utf-16, big end first": (lambda raw: raw.decode().encode("utf-16-be"), lambda raw: raw.decode("utf-16-be").encode()),
    "called a picture": (lambda raw: b"\x89PNG\r\n" + raw, lambda raw: raw.removeprefix(b"\x89PNG\r\n")),
}


@pytest.mark.parametrize("secret", [PLAIN, "Zx9-Quokka+Marmalade/77=Tango"])
@pytest.mark.parametrize("how", PACKED)
def test_a_body_is_searched_however_it_is_packed(how: str, secret: str) -> None:
    pack, unpack = PACKED[how]
    redactor = Redactor([secret])
    assert unpack(redactor.body(pack(f"a {secret} b".encode()))).decode() == f"a {HIDDEN} b"
    untouched = pack(b"a wombat and a quokka")
    assert redactor.body(untouched) is untouched


FORM = (
    b'------WebKitFormBoundaryb1\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
    b'------WebKitFormBoundaryb1\r\nContent-Disposition: form-data; name="log"\r\n\r\n'
)
AROUND = {
    "a form": (FORM, b"\r\n------WebKitFormBoundaryb1--\r\n"),
    "a text before": (b"a log of a few lines, which is packed, follows: ", b""),
    "a text after": (b"", b" what was before this is a log of a few lines, which is packed"),
    "a message in binary": (
        b"\x0a\x40a field of a message with a text of some length in it, and\x12\x80\x01",
        b"\x1a\x20another field with text, and the end",
    ),
}
BETWEEN: dict[str, Callable[[bytes], bytes]] = {
    **{name: pack for name, (pack, _) in PACKED.items() if name != "called a picture"},
    "utf-16, small end first": lambda raw: raw.decode().encode("utf-16-le"),
    "brotli": brotli.compress,
    "zstandard": zstandard.ZstdCompressor().compress,
}


def is_inside(content: bytes, secret: str) -> bool:
    """Whether a text is in a body, or in what begins somewhere in it and can be unpacked."""
    unpacked = [content]
    for at in range(len(content)):
        for window in (31, 15, -15):
            with suppress(zlib.error):
                unpacked.append(zlib.decompressobj(window).decompress(content[at:]))
    return any(secret.encode(encoding) in one for one in unpacked for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("how", BETWEEN)
def test_what_is_packed_between_texts_is_searched_or_not_kept(how: str, around: str) -> None:
    before, after = AROUND[around]
    for text in (f"the secret is {PLAIN} and no other", f"a line\nand the secret {PLAIN} in the next\n" * 20):
        packed = BETWEEN[how](text.encode())
        found = Redactor([PLAIN]).body(before + packed + after)
        assert not is_inside(found, PLAIN), found
        assert packed not in found
        assert found == UNREADABLE or found.startswith(before[:40])


def test_what_is_between_texts_and_holds_nothing_stays_as_it_is() -> None:
    redactor = Redactor([PLAIN])
    before, after = AROUND["a form"]
    harmless = "Всё хорошо, ничего секретного. 何も秘密はありません。" * 5
    for part in (
        zlib.compress(harmless.encode()),
        gzip.compress(b"nothing"),
        b"\x89PNG\r\n\x1a\n" + random.Random(7).randbytes(400),
        b"\x00\x01\x02\x03",
        harmless.encode(),
        harmless.encode("gb18030"),
        "Всё хорошо, ничего секретного.".encode("cp1251"),
        "何も秘密はありません。".encode("shift_jis"),
        "nothing".encode("utf-16-le"),
    ):
        body = before + part + after
        assert redactor.body(body) is body, part
    # Packed in a way that nothing undoes.
    found = redactor.body(before + b"\0" + random.Random(7).randbytes(400) + FORM + after)
    assert found == before + UNREADABLE + FORM + after


@pytest.mark.parametrize("size", [40, 300, 5000])
def test_a_body_that_cannot_be_searched_is_not_kept_and_a_picture_is(size: int) -> None:
    redactor = Redactor([PLAIN])
    text = " ".join(f"{number} {PLAIN}" for number in range(size // 10)).encode()
    encrypted = bytes(random.Random(1).randbytes(size))
    for body in (brotli.compress(text), zstandard.compress(text), encrypted):
        assert b"not kept" in redactor.body(body), body[:20]
    for kept in (b"\x89PNG\r\n\x1a\n" + encrypted, b"\xff\xd8\xff\xe0" + encrypted, b"RIFF\0\0\0\0WEBPVP8 " + encrypted):
        assert redactor.body(kept) is kept
    assert redactor.body("Zürich, Köln, Größe ".encode("latin-1") * 3) == "Zürich, Köln, Größe ".encode("latin-1") * 3
    assert Redactor().body(encrypted) is encrypted


def test_an_attribute_is_searched_whatever_it_is_called() -> None:
    names = ("id", "kind", "status", "path", "run", "type", "guid", "callId", "changed_at", "sha1", "_file")
    html_node = ["DIV", dict.fromkeys(names, f"u-{PLAIN}"), ["P", {f"data-{PLAIN}": ""}, PLAIN]]
    line = {
        "type": "frame-snapshot",
        "snapshot": {"callId": "call@7", "pageId": "page@1", "frameId": "frame@2", "html": html_node},
    }
    clean = json.loads(Redactor([PLAIN, "call@7", "frame-snapshot"]).json(json.dumps(line).encode(), PLAYWRIGHT))
    assert PLAIN not in json.dumps(clean)
    assert (clean["type"], clean["snapshot"]["callId"]) == ("frame-snapshot", "call@7")
    event = {"type": 2, "data": {"node": {"attributes": dict.fromkeys(names, PLAIN), "textContent": PLAIN}}}
    assert PLAIN not in Redactor([PLAIN]).json(json.dumps(event).encode()).decode()


def test_a_message_of_a_run_keeps_its_structure_whatever_is_secret() -> None:
    ended = StepEnded(run="r", journey="steps", attempt=1, step=StepResult(name="name passed", index=0, status="passed"))
    secret = ["passed", "StepEnded", "status", "name", "step", "index", "journey"]
    clean = from_worker.decode(Redactor(secret).json(encode(ended), MESSAGE))
    assert isinstance(clean, StepEnded)
    assert (clean.step.status, clean.step.name) == ("passed", f"{HIDDEN} {HIDDEN}")


def test_json_with_half_a_character_is_redacted() -> None:
    clean = Redactor([PLAIN]).json(rb'{"a": "caf\ud83d correct-horse"}')
    assert json.loads(clean) == {"a": f"caf\ufffd {HIDDEN}"}


IN_BASE64: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib, fast": lambda content: zlib.compress(content, 1),
    "gzip in gzip": lambda content: gzip.compress(gzip.compress(content)),
    "UTF-16": lambda content: content.decode().encode("utf-16-le"),
    "UTF-16, the other end first": lambda content: content.decode().encode("utf-16-be"),
}


@pytest.mark.parametrize("how", IN_BASE64)
@pytest.mark.parametrize("secret", [PLAIN, "Zx9-Quokka+Marmalade/77=Tango"])
def test_what_is_packed_and_then_in_base64_is_found(secret: str, how: str) -> None:
    packed = IN_BASE64[how](f'{{"user": "anna", "key": "{secret}"}}'.encode())
    document = json.dumps({"sent": b64encode(packed).decode(), "other": b64encode(b"something else, long enough").decode()})
    redactor = Redactor([secret])
    clean = json.loads(redactor.text(document))
    assert clean["other"] == json.loads(document)["other"]
    inside = b64decode(clean["sent"])
    while inside.startswith(b"\x1f\x8b"):
        inside = gzip.decompress(inside)
    if inside.startswith(b"\x78"):
        inside = zlib.decompress(inside)
    readable = inside.replace(b"\0", b"")
    assert readable.startswith(b'{"user": "anna", "key": "')
    assert secret.encode() not in readable


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("secret", ["Zx9-Quokka+77", "пароль-Тест-77", "秘密の言葉です1234"])
def test_a_text_in_utf_16_and_base64_is_searched_whatever_script_is_in_it(secret: str, encoding: str) -> None:
    text = f'{{"price": "5 € – за 茶", "key": "{secret}"}}'.encode(encoding)
    document = json.dumps({"sent": b64encode(text).decode()})
    inside = b64decode(json.loads(Redactor([secret]).text(document))["sent"])
    assert secret.encode(encoding) not in inside
    # Half a character beside it may go as well: which half comes first cannot be seen in ASCII.
    assert inside.startswith('{"price": "5 € – за 茶", "key": '.encode(encoding))
    assert Redactor(["another-Secret-1"]).text(document) is document


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("shown", ["NFC", "NFD"])
def test_letters_with_accents_are_found_however_they_are_composed(form: Composed, shown: Composed) -> None:
    declared, written = normalize(form, "Pässwort-7Kän"), normalize(shown, "Pässwort-7Kän")
    for kind in ("verbatim", "url, nothing safe", "json", "html by numbers"):
        clean = Redactor([declared]).text(f"before {FORMS[kind](written)} after").replace('"', "")
        assert clean == f"before {HIDDEN} after", kind


def test_letters_of_iso_8859_1_are_found_in_hexadecimal() -> None:
    assert Redactor(["Pässwort-7Kän"]).text("x" + "Pässwort-7Kän".encode("latin-1").hex()) == f"x{HIDDEN}"


def test_base64_that_only_looks_packed_stays_as_it_is() -> None:
    redactor = Redactor([PLAIN])
    for start in (b"\x1f\x8b", b"\x78\x9c", b"\x78\x01", b"a\0b\0c\0d\0"):
        text = b64encode(start + bytes(range(40))).decode()
        assert redactor.text(text) is text
        found = redactor.text(b64encode(start + PLAIN.encode() + b"....").decode())
        assert PLAIN.encode() not in b64decode(found.replace(HIDDEN, "AAAA") + "==")


ENDLESS: dict[str, tuple[str, bytes]] = {
    "beginnings of a token": (PLAIN, b".eyj " + b"-eyJ" * 50_000),
    "a token that goes on": (PLAIN, b"eyJaaaaaaaa.eyJaaaaaaaa" * 8_000),
    "backslashes before a character": ("!Passw0rd77", b"passw0rd77 " + b"\\" * 100_000),
    "encoded backslashes": ("!Passw0rd77", b"passw0rd77 " + b"%5c" * 40_000),
    "backslashes of the secret": (r"\\srv\share\pw99", b"srv share pw99 " + b"\\" * 100_000),
    "backslashes after the beginning": (r"ACME\\domain99", b"domain99 acme ACME" + b"\\" * 100_000),
    "ampersands": ("&&&pass99", b"pass99 " + b"&amp;" * 20_000 + b"\\" * 40_000 + b"u0026amp;"),
    "percent signs": ("%pass99word", b"pass99word %" + b"25" * 60_000),
    "escaped backslashes": (PLAIN, b"\\x5c" * 40_000),
    "escaped escapes": (PLAIN, b"&#38;#38;%25%32%35" * 10_000),
    "backslashes before escaped letters": (PLAIN, b"\\u0061" + b"\\" * 100_000),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", thorough_but(3, ENDLESS))
def test_no_content_takes_longer_than_its_length_asks_for(kind: str) -> None:
    # With the square of the length each of these would take hours: the test would not end in its time.
    secret, content = ENDLESS[kind]
    clean = Redactor([secret]).raw(content + b" " + secret.encode())
    assert clean.endswith(HIDDEN.encode())
    assert secret.encode() not in clean


@pytest.mark.parametrize(
    "secret", ["!Passw0rd77", "&&amp9-pw", '"quoted99"', r"\\srv\share9", r"ACME\nick99", "%5csecret9", "line\nbreak99"]
)
@pytest.mark.parametrize("backslashes", [0, 1, 2, 3, 7, 100])
def test_a_secret_is_found_behind_any_number_of_backslashes(secret: str, backslashes: int) -> None:
    for escaped in (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        "".join(f"\\u{unit:04x}" if not chr(unit).isalnum() else chr(unit) for unit in units(secret)),
        "".join(f"\\\\u{unit:04X}" if not chr(unit).isalnum() else chr(unit) for unit in units(secret)),
        quote(json.dumps(secret)[1:-1], safe=""),
    ):
        clean = Redactor([secret]).text("a " + "\\" * backslashes + escaped + " z")
        assert HIDDEN in clean, escaped
        assert not {"Passw0rd77", "amp9-pw", "quoted99", "share9", "nick99", "secret9", "break99"} & set(
            re.findall(r"[\w-]+", clean)
        )


def test_a_document_may_be_nested_as_deeply_as_it_can_be_read() -> None:
    redactor = Redactor([PLAIN])
    deep = b'{"childNodes":[' * 450 + f'"{PLAIN}"'.encode() + b"]}" * 450
    assert redactor.json(deep) == deep.replace(PLAIN.encode(), HIDDEN.encode())
    # One that cannot be read is not kept: its recorder catches this error.
    with pytest.raises(msgspec.DecodeError, match="nested too deeply"):
        redactor.json(b"[" * 5_000 + f'"{PLAIN}"'.encode() + b"]" * 5_000)


def test_many_small_bombs_in_one_text_are_searched_no_longer_than_one() -> None:
    redactor = Redactor([PLAIN])
    # Each alone is searched: 200,000 bytes.
    small = b64encode(zlib.compress(b" " * 200_000))
    assert redactor.raw(small) == small
    cut = b64encode(UNREADABLE)
    kept = redactor.raw(b" ".join([small] * 20)).split(b" ")
    assert (kept[0], kept[-5:]) == (small, [cut] * 5)
    inner = b64encode(zlib.compress(b" " * 100_000))
    nested = b64encode(zlib.compress(inner + b"\n" + inner))
    kept = redactor.raw(b" ".join([nested] * 20)).split(b" ")
    assert [zlib.decompress(b64decode(one)) for one in kept[-5:]] == [cut + b"\n" + cut] * 5
    # What is packed as texts are has no part in it.
    usual = b64encode(zlib.compress(b"".join(b"line %d\n" % number for number in range(2_000))))
    texts = b" ".join([usual] * 20)
    assert redactor.raw(texts) == texts


@pytest.mark.long
def test_a_bomb_is_not_inflated_and_not_kept() -> None:
    redactor = Redactor([PLAIN])
    bomb = gzip.compress(b" " * 50_000_000 + PLAIN.encode())
    for packed in (bomb, zlib.compress(b" " * 50_000_000)):
        assert redactor.body(packed) == UNREADABLE
    assert gzip.decompress(redactor.body(gzip.compress(bomb))) == UNREADABLE
    inside = redactor.raw(b'{"sent": "' + b64encode(bomb) + b'"}')
    assert inside == b'{"sent": "' + b64encode(UNREADABLE) + b'"}'
    # Text that repeats itself, as logs do, is no bomb.
    lines = b"".join(
        b"2026-06-01 12:00:%02d user %d signed in with %s\n" % (n % 60, n * 7919, PLAIN.encode()) for n in range(20_000)
    )
    assert HIDDEN.encode() in gzip.decompress(redactor.body(gzip.compress(lines)))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "BASIC"])
def test_the_scheme_of_a_credential_may_be_in_any_case(scheme: str) -> None:
    assert Redactor().text(f"sent {scheme} abcdefgh1234 to it") == f"sent {scheme} {HIDDEN} to it"


def test_a_token_of_several_parts_is_found_wherever_its_word_begins() -> None:
    token = "eyJhbGciOiJub25l.eyJzdWIiOiIxMjM0.c2ln"
    for before in ("", "x ", "t-", "my-token-", "aaaaaaaaaaaa.", "eyJ-", "_.", "-"):
        assert Redactor().text(before + token + " end") == f"{before}{HIDDEN} end"


def test_a_number_with_a_fraction_may_be_a_secret() -> None:
    assert Redactor(["7391.46"]).json(b'{"value":7391.46,"pin":"7391.46"}') == f'{{"value":0,"pin":"{HIDDEN}"}}'.encode()
