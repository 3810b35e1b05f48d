"""What is to be hidden, and how: one redactor for each run."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable
from typing import Any

import msgspec

from runner.redaction.base64_blocks import replace_inside
from runner.redaction.bodies import UNREADABLE, Allowance, clean_body, clean_packed
from runner.redaction.credentials import SIGNS, contains_any, hide_by_key, hide_by_looks
from runner.redaction.document_forms import PAGE_KEYS, VALUE, DocumentForm
from runner.redaction.escaped_letters import unescape_letters, unescape_printed
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

    def _without_secrets(self, content: bytes, nested: int = NESTED, allowance: Allowance | None = None) -> bytes:
        """`content` without declared secrets; the same object if it held none."""
        if not self._search.texts or not content:
            return content

        for_all = allowance or Allowance()

        def inside(inner: bytes) -> bytes:
            return self._without_secrets(inner, nested - 1, for_all)

        def hide_nested(text: bytes) -> bytes:
            return replace_inside(text, inside, lambda packed: clean_packed(packed, inside, for_all)) if nested else text

        clean = self._search.hide(content)
        # Escapes of escapes only where those of letters have shown nothing: what is written in them is not kept as it was written.
        for unescape in (unescape_letters, unescape_printed):
            readable = clean
            for _ in range(ROUNDS):
                unescaped, again = unescape(readable)
                if unescaped is readable:
                    break
                readable = self._search.hide(unescaped)
                if readable is not unescaped:
                    clean = readable
                if not again:
                    break
            # Few texts have escaped letters, many an escaped sign: so base64 is sought behind the former only.
            if unescape is unescape_letters and readable is not clean:
                found = hide_nested(readable)
                clean = clean if found is readable else found
        return hide_nested(clean)

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
        try:
            return encode_json(self.value(decode_json(document, _anything), form))
        except RecursionError as error:
            raise msgspec.DecodeError("it is nested too deeply") from error

    def value(self, value: Any, form: DocumentForm = VALUE, key: str = "", by_page: bool = False) -> Any:
        """A decoded JSON value with everything hidden in its strings.

        `key` is the key that it stands under; `by_page`: it is inside what a page has said, and so are the keys in it.
        """
        clean: list[Any] = [None]
        # Not by calling itself: pages nest their elements as deeply as they like.
        waiting: list[tuple[Any, str, bool, Any, Any]] = [(value, key, by_page, clean, 0)]
        while waiting:
            one, key, by_page, into, place = waiting.pop()
            if isinstance(one, list):
                into[place] = inner = [None] * len(one)
                waiting += [(each, key, by_page, inner, at) for at, each in enumerate(_without_values(one, key))]
            elif isinstance(one, dict):
                into[place] = self._begin_object(one, key, by_page, waiting)
            else:
                into[place] = self._scalar(one, form, key, by_page)
        return clean[0]

    def _scalar(self, value: Any, form: DocumentForm, key: str, by_page: bool) -> Any:
        if isinstance(value, str):
            own = not by_page and (key in form.own or (form.times and key.endswith("_at")))
            return value if own else self.text(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in self._search:
            return 0
        return value

    def _begin_object(
        self, found: dict[str, Any], key: str, by_page: bool, waiting: list[tuple[Any, str, bool, Any, Any]]
    ) -> dict[str, Any]:
        """An object with its keys, in their order; its values wait."""
        found = hide_by_key(found, key)
        encoded = found.get("encoding") == "base64" and isinstance(found.get("text"), str)
        clean: dict[str, Any] = {}
        for name, inner in found.items():
            shown = self.text(name) if by_page else name
            clean[shown] = self._embedded(inner) if encoded and name == "text" else None
            if not (encoded and name == "text"):
                waiting.append((inner, name, by_page or name in PAGE_KEYS, clean, shown))
        return clean

    def _embedded(self, text: str) -> str:
        try:
            content = b64decode(text)
        except (NoBase64, ValueError):
            return b64encode(UNREADABLE).decode()
        clean = self.body(content)
        return text if clean is content else b64encode(clean).decode()


def _without_values(found: list[Any], key: str) -> list[Any]:
    """The members of a list, where `key` says that they are credentials without their values."""
    if key not in _LISTED:
        return found
    return [{**one, "value": HIDDEN} if isinstance(one, dict) and "value" in one else one for one in found]


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
