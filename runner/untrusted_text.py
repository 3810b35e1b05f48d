"""Text that a page, a site or a stranger has written, made safe to encode, to keep and to print.

JavaScript's strings may hold half a character (a lone surrogate, as `slice()` leaves of an emoji), which has no form in UTF-8; they
may be of any length, and hold what a terminal obeys. None of it may end a run.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

LONGEST_MESSAGE = 4_000
"""Characters of a failure's message, of an error or a note that is kept."""
LONGEST_NAME = 200
"""Characters of a name that a page gives: of a mark, a type, a protocol."""
LONGEST_STEP_NAME = 10_000
"""Characters of a step's name, which a journey may take from a page."""
_LONE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(
    rb"\\(?:(u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
# Controls of ECMA-48 except for tab and line feed; the marks, embeddings and isolates of Unicode's bidirectional algorithm.
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Everything that XML 1.0 (section 2.2, Char) does not allow, not even as a character reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_Wanted = TypeVar("_Wanted")


def well_formed(text: str) -> str:
    """`text` with U+FFFD in the place of each half of a character; two halves that belong together become one.

    >>> well_formed("caf\\ud83d"), well_formed("\\ud83d\\ude42")
    ('caf\ufffd', '🙂')
    """
    if not _LONE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def bounded(text: str, most: int = LONGEST_MESSAGE) -> str:
    """`text`, of which the middle is left out where it is longer than `most` characters.

    >>> bounded("a" * 50 + "b" * 50, 60)
    'aaaaaaaaaa … 80 characters left out … bbbbbbbbbb'
    """
    if len(text) <= most:
        return text
    kept = max(most - 40, 0) // 2
    return f"{text[:kept]} … {len(text) - 2 * kept} characters left out … {text[len(text) - kept :]}"


def tamed(text: str, most: int = LONGEST_MESSAGE) -> str:
    """`text`, well formed, printable and bounded: what a page says, as a result may keep it."""
    # Cut first: a text may be of many megabytes.
    return printable(well_formed(bounded(text, most)))


def step_name(text: str) -> str:
    """The name of a step as it is kept: what the journey says, well formed and bounded.

    It may contain any other character; what shows a name, and what stores it, leaves out what it cannot hold.
    """
    return well_formed(bounded(text, LONGEST_STEP_NAME))


def printable(text: str) -> str:
    """`text` without what a terminal obeys: control characters except for tab and line feed, and changes of writing direction.

    >>> printable("\\x1b]0;title\\x07 \\u202etxt.exe")
    ']0;title txt.exe'
    """
    return _CONTROL.sub("", text)


def xml_text(text: str) -> str:
    """`text` with U+FFFD in the place of each character that XML cannot hold, and which makes a reader reject all of a document."""
    return _NOT_XML.sub("\ufffd", text)


def encode_json(value: object, enc_hook: Callable[[Any], Any] | None = None) -> bytes:
    """`value` as JSON; its texts may hold halves of characters, which become U+FFFD. As msgspec.json.encode otherwise."""
    try:
        return msgspec.json.encode(value, enc_hook=enc_hook)
    except UnicodeEncodeError:
        return msgspec.json.encode(_well_formed_values(msgspec.to_builtins(value, enc_hook=enc_hook)))


def decode_json(document: bytes | str, decoder: "msgspec.json.Decoder[_Wanted]") -> _Wanted:
    """Decodes JSON in which half a character may stand, escaped or not, which becomes U+FFFD.

    Raises msgspec.DecodeError for what is not JSON, or not of the decoder's type.
    """
    raw = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    try:
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError):
            repaired = repair_json(raw)
            if repaired == raw:
                raise
            return decoder.decode(repaired)
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error


def decode_strictly(document: bytes | str, decoder: "msgspec.json.Decoder[_Wanted]") -> _Wanted:
    """Decodes JSON from others as it is. Raises msgspec.DecodeError for whatever cannot be decoded."""
    try:
        return decoder.decode(document)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"it is not UTF-8: {error}") from error
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error


def repair_json(document: bytes) -> bytes:
    """`document` with U+FFFD in the place of every half of a character, and of every byte that is not UTF-8."""
    try:
        clean = well_formed(document.decode("utf-8", "surrogatepass")).encode()
    except UnicodeDecodeError:
        clean = document.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[2] else found[0], clean)


def _well_formed_values(value: Any) -> Any:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {_well_formed_values(name): _well_formed_values(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_well_formed_values(one) for one in value]
    return value
