"""What a page says, decoded, bounded and printed."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from runner.codec import encode
from runner.events import StepStarted
from runner.page.agent_messages import LONGEST, decode
from runner.untrusted_text import bounded, decode_json, encode_json, printable, tamed, well_formed

ANY = msgspec.json.Decoder()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("caf\ud83d", "caf\ufffd"),
        ("\udc00x", "\ufffdx"),
        ("\ud83d\ude42", "🙂"),
        ("\ud83d\ud83d\ude42", "\ufffd🙂"),
        ("🙂 ü", "🙂 ü"),
    ],
)
def test_half_a_character_becomes_the_replacement_character(text: str, clean: str) -> None:
    assert well_formed(text) == clean


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (rb'"caf\ud83d"', "caf\ufffd"),
        (rb'"\uDC00x"', "\ufffdx"),
        (rb'"\ud83d\ude42"', "🙂"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (b'["\xed\xa0\xbd", "\xff"]', ["\ufffd" * 3, "\ufffd"]),
        (b'"\xed\xa0\xbd\xed\xb9\x82"', "🙂"),
        ('"caf\ud83d"', "caf\ufffd"),
    ],
)
def test_json_with_half_a_character_is_read(document: bytes | str, value: object) -> None:
    assert decode_json(document, ANY) == value


@pytest.mark.parametrize("document", [b'"abc', b"[" * 100_000, b"", rb'"\ud83d', rb'["\ud83d",' + b"[" * 100_000])
def test_what_is_no_json_is_refused_with_one_kind_of_error(document: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(document, ANY)


def test_everything_can_be_sent_as_json() -> None:
    value = {"a\ud83d": ["\udc00", 1, None], "at": datetime(2026, 1, 1, tzinfo=UTC)}
    assert msgspec.json.decode(encode_json(value)) == {"a\ufffd": ["\ufffd", 1, None], "at": "2026-01-01T00:00:00Z"}
    started = StepStarted(run="r", journey="j", attempt=1, name="caf\ud83d", index=0)
    assert b'"name":"caf\xef\xbf\xbd"' in encode(started)
    assert encode_json([Path("/a")], str) == b'["/a"]'


def test_a_long_text_loses_its_middle() -> None:
    text = bounded("a" * 1_000_000 + "b" * 1_000_000, 1000)
    assert len(text) <= 1000
    assert (text[:3], text[-3:]) == ("aaa", "bbb")
    assert "characters left out" in text
    assert bounded("short", 1000) == "short"
    # Cut in the middle of a character.
    assert tamed("🙂" * 2000, 1001).isprintable()


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    assert printable("\x1b]0;title\x07\x9b31m\r\x00a\tb\nc\u202ed\u2066e\x7f") == "]0;title31ma\tb\ncde"
    assert printable("é 🙂 👨\u200d👩 ✓") == "é 🙂 👨\u200d👩 ✓"


@pytest.mark.parametrize(
    "message",
    [
        '{"inputs":{"first":1e300}}',
        '{"inputs":{"first":null,"move":"x"}}',
        '{"navigation":{"redirectCount":-1}}',
        '{"now":true}',
        "[]",
        '"caf\ud83d"',
        "[" * 100_000,
        '{"url":"' + "a" * LONGEST + '"}',
    ],
)
def test_a_message_that_the_agent_cannot_have_sent_is_refused(message: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(message)


def test_the_agents_own_message_may_hold_half_a_character() -> None:
    mark = '{"kind":"mark","name":"caf\\ud83d","at":1,"duration":0}'
    assert decode(f'{{"signals":{{"userTimings":[{mark}]}}}}').signals["userTimings"][0].name == "caf\ufffd"
