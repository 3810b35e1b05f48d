"""What is to be hidden, and how: one redactor for each run."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable
from typing import Any

import msgspec

from runner.redaction.base64_blocks import replace_inside
from runner.redaction.bodies import UNREADABLE, clean_body, clean_packed
from runner.redaction.credentials import SIGNS, contains_any, hide_by_key, hide_by_looks
from runner.redaction.document_forms import PAGE_KEYS, VALUE, DocumentForm
from runner.redaction.escaped_letters import unescape_letters
from runner.redaction.secret_search import HIDDEN, SecretSearch
from runner.untrusted_text import decode_json, encode_json

ROUNDS = 3
"""How often a letter may be escaped."""
NESTED = 2
"""How often a text may be in base64."""
_STRUCTURED = (*SIGNS, b"localstorage", b"httpcredentials", b"base64")
"""What a JSON document has to hold, in lower case, before its keys matter."""
_LISTED = {"cookies", "localStorage"}
"""Keys of lists of `{name, value}` whose values are credentials, as Playwright writes them."""
_anything = msgspec.json.Decoder()


class Redactor:
    """Hides secret texts, credentials, and what the user's own patterns find.

    >>> redactor = Redactor(["oolong & milk"])
    >>> redactor.text("pw=oolong%20%26+milk, b29sb25nICYgbWlsaw==, OOLONG &amp; milk, oolong & m")
    'pw=•••, •••==, •••, •••'
    >>> redactor.json(b'{"name": "Cookie", "value": "sid=1"}')
    b'{"name":"Cookie","value":"sid=\\xe2\\x80\\xa2\\xe2\\x80\\xa2\\xe2\\x80\\xa2"}'
    """

    def __init__(self, secrets: Iterable[str] = (), patterns: Iterable[str] = ()) -> None:
        self._search = SecretSearch()
        self._patterns = [re.compile(pattern.encode()) for pattern in patterns]
        for secret in secrets:
            self.hide(secret)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret texts."""
        return self._search.texts

    @property
    def beginnings(self) -> tuple[str, ...]:
        """As much of each secret as is hidden by itself, in lower case."""
        return self._search.beginnings

    def hide(self, secret: str) -> None:
        """Adds a secret; of one with several lines, its longer lines too. One of fewer than SHORTEST characters is left out."""
        self._search.add(secret)

    def holds_secret(self, text: str | bytes) -> bool:
        """Whether a declared secret is in `text`, in any of its forms."""
        content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        return self._without_secrets(content) is not content

    def text(self, text: str) -> str:
        """`text` with everything hidden."""
        raw = text.encode(errors="surrogatepass")
        clean = self.raw(raw)
        return text if clean is raw else clean.decode(errors="surrogatepass")

    def raw(self, content: bytes) -> bytes:
        """`content`, in any encoding that has ASCII in it, with everything hidden; the same object if there was nothing."""
        clean = self._without_secrets(content)
        for pattern in self._patterns:
            clean = pattern.sub(HIDDEN.encode(), clean)
        clean = hide_by_looks(clean)
        return content if clean == content else clean

    def _without_secrets(self, content: bytes, nested: int = NESTED) -> bytes:
        """`content` without declared secrets; the same object if it held none."""
        if not self._search.texts or not content:
            return content
        clean = self._search.hide(content)
        readable = clean
        for _ in range(ROUNDS):
            unescaped = unescape_letters(readable)
            if unescaped is readable:
                break
            readable = self._search.hide(unescaped)
            if readable is not unescaped:
                clean = readable
        if nested:

            def inside(inner: bytes) -> bytes:
                return self._without_secrets(inner, nested - 1)

            clean = replace_inside(clean, inside, lambda packed: clean_packed(packed, inside))
        return clean

    def body(self, content: bytes) -> bytes:
        """The body of a request or an answer, packed or not; the same object if there was nothing to hide.

        Where nothing could be found in it, because it is packed in an unknown way, a sentence that says so.
        """
        return clean_body(content, self.raw, strict=bool(self._search.texts or self._patterns))

    def json(self, document: bytes, form: DocumentForm = VALUE) -> bytes:
        """One JSON value with everything hidden in its strings, its structure kept; the same object if there was nothing.

        Raises msgspec.DecodeError when it has to be read and is not JSON.
        """
        if not self._patterns and self.raw(document) is document:
            lowered = document.lower()
            if not contains_any(lowered, _STRUCTURED):
                return document
        return encode_json(self.value(decode_json(document, _anything), form))

    def value(self, value: Any, form: DocumentForm = VALUE, key: str = "", by_page: bool = False) -> Any:
        """A decoded JSON value with everything hidden in its strings.

        `key` is the key that it stands under; `by_page`: it is inside what a page has said, and so are the keys in it.
        """
        if isinstance(value, str):
            own = not by_page and (key in form.own or (form.times and key.endswith("_at")))
            return value if own else self.text(value)
        if isinstance(value, list):
            if key in _LISTED:
                value = [{**one, "value": HIDDEN} if isinstance(one, dict) and "value" in one else one for one in value]
            return [self.value(one, form, key, by_page) for one in value]
        if isinstance(value, dict):
            return self._object(value, form, key, by_page)
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in self._search:
            return 0
        return value

    def _object(self, found: dict[str, Any], form: DocumentForm, key: str, by_page: bool) -> dict[str, Any]:
        found = hide_by_key(found, key)
        encoded = found.get("encoding") == "base64" and isinstance(found.get("text"), str)
        return {
            self.text(one) if by_page else one: self._embedded(inner)
            if encoded and one == "text"
            else self.value(inner, form, one, by_page or one in PAGE_KEYS)
            for one, inner in found.items()
        }

    def _embedded(self, text: str) -> str:
        try:
            content = b64decode(text)
        except (NoBase64, ValueError):
            return b64encode(UNREADABLE).decode()
        clean = self.body(content)
        return text if clean is content else b64encode(clean).decode()


class _HidesNothing(Redactor):
    """For a run whose redaction is off."""

    def hide(self, secret: str) -> None:
        """Nothing is hidden."""

    def raw(self, content: bytes) -> bytes:
        """The content as it is."""
        return content

    def body(self, content: bytes) -> bytes:
        """The content as it is."""
        return content

    def json(self, document: bytes, form: DocumentForm = VALUE) -> bytes:  # noqa: ARG002 (one signature)
        """The document as it is."""
        return document


NOTHING: Redactor = _HidesNothing()
"""A redactor that leaves everything as it is."""
