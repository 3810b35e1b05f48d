"""Removes what must not be kept from addresses and texts: queries, fragments, credentials, e-mail addresses, long secrets.

An address loses its user and password, its fragment, its path parameters (`;jsessionid=…`) and its query, except for the keys that the
app allows. Addresses inside texts (messages, stacks, titles, names) are cleaned in the same way. What is left of a text loses
e-mail addresses, JSON Web Tokens, runs of twelve digits or more (card and account numbers) and long words that look random.
"""

import re
from functools import lru_cache
from itertools import pairwise

HIDDEN = "•••"
LONG = 32
"""Characters from which a word that looks random is taken for a secret; build hashes in file names are shorter."""

_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters except for tab and line feed, changes of the writing direction, and half characters."""
_BREAKS = re.compile(r"[\t\n\r]")
"""What browsers take out of an address (URL standard, 4.4)."""
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]{0,30}:)?(//[^/?#\\]*)?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_KEPT_SCHEMES = {
    f"{one}:" for one in ("http", "https", "ws", "wss", "about", "app", "capacitor", "ionic", "android-app", "webpack")
} | {
    *("", "webpack-internal:", "chrome-extension:", "moz-extension:", "safari-web-extension:"),
}
_PARAMETERS = re.compile(r";[^/]*")
_RUN = re.compile(r"[^\s\"'`<>()]+")
"""What may be an address in a text. Every pattern here takes time in proportion to the text, whatever a stranger writes into it."""
_BEGIN = re.compile(r"[a-z][a-z0-9+.-]{1,30}://|(?<![a-z0-9])(?:data|blob|javascript|mailto|tel|file|https?):", re.IGNORECASE)
_QUERY = re.compile(r"\?[\w.~%\[\]-]+=")
_PLACE = re.compile(r"(?::\d{1,7}){1,2}$")
"""Line and column, which a stack puts behind an address."""
_LIKELY = re.compile(r"://|\?[\w.~%\[\]-]++=|(?<![a-z0-9])(?:data|blob|javascript|mailto|tel|file|https?):", re.IGNORECASE)
"""What a text contains if there is an address in it."""
_MAIL = re.compile(r"(?:(?<![\w.+%-])|(?<=%40))(?:[\w.+-]|%(?!40))++(?:@|%40)[\w-]++(?:\.[\w-]++)++")
_TOKEN = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}")
_WORD = re.compile(rf"[A-Za-z0-9_+=-]{{{LONG},}}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(rf"(?P<uuid>{_UUID.pattern})|(?<!\d)\d(?:[ -]?\d){{11,}}", re.IGNORECASE)


class Scrubber:
    """Cleans for one app, whose addresses may keep the query keys `keys`.

    >>> Scrubber(["page"]).url("https://ann:pw@shop.example/cart;s=1?page=2&token=x#top")
    'https://shop.example/cart?page=2'
    >>> Scrubber().text("no stock for ann@shop.example at https://shop.example/app.js?v=8:10:5")
    'no stock for ••• at https://shop.example/app.js:10:5'
    """

    def __init__(self, keys: tuple[str, ...] | list[str] = ()) -> None:
        self._keys = frozenset(keys)
        # The same few addresses come all day; a long one is not worth its place.
        self._short = lru_cache(maxsize=2048)(self._url)
        # So do the same messages and stacks; those of a hostile beacon are often the same too.
        self._known_text = lru_cache(maxsize=256)(self._text)

    def url(self, address: str) -> str:
        """The address without what must not be kept. Of other addresses, such as `data:`, only the scheme is kept."""
        return self._short(address) if len(address) <= 300 else self._url(address)

    def _url(self, address: str) -> str:
        found = _ADDRESS.fullmatch(_BREAKS.sub("", _CONTROL.sub("", address)).strip())
        if found is None:
            return ""
        scheme, authority, path, query = (part or "" for part in found.groups())
        if scheme.lower() == "blob:":
            return f"blob:{self._url(path)}" if not path.lower().startswith("blob:") else "blob:"
        if scheme.lower() not in _KEPT_SCHEMES:
            return scheme
        if authority:
            authority = f"//{authority[2:].rpartition('@')[2]}"
        elif scheme:
            # Browsers read `https:shop.example` and `https:\\shop.example` as addresses too.
            path = path.rpartition("@")[2]
        kept = [pair for pair in query.split("&") if pair.partition("=")[0] in self._keys] if query and self._keys else []
        path = "/".join(_without_secrets(part) for part in _PARAMETERS.sub("", path).split("/")) if path else ""
        return f"{scheme}{authority}{path}{f'?{chr(38).join(kept)}' if kept else ''}".strip()

    def text(self, text: str) -> str:
        """The text without what must not be kept; addresses in it are cleaned."""
        if not text or (len(text) < 12 and "@" not in text and "?" not in text and text.isprintable()):
            return text
        return self._known_text(text)

    def _text(self, text: str) -> str:
        text = _CONTROL.sub("", text)
        if ("?" in text or ":" in text) and _LIKELY.search(text):
            text = _RUN.sub(self._run, text)
        return _without_secrets(text)

    def _run(self, found: re.Match[str]) -> str:
        run = found[0]
        if "?" not in run and ":" not in run:
            return run
        address = run.rstrip(".,;:!?")
        place = _PLACE.search(address)
        end = place.start() if place else len(address)
        begin = _BEGIN.search(run, 0, end)
        if begin is None:
            query = _QUERY.search(run, 0, end)
            if query is None:
                return run
            return run[: query.start()] + self.url(run[query.start() : end]) + run[end:]
        return run[: begin.start()] + self.url(run[begin.start() : end]) + run[end:]


def _without_secrets(text: str) -> str:
    if "@" in text or "%40" in text:
        text = _MAIL.sub(HIDDEN, text)
    if "eyJ" in text:
        text = _TOKEN.sub(HIDDEN, text)
    if len(text) >= 12:
        text = _DIGITS.sub(lambda found: found["uuid"] or HIDDEN, text)
    if len(text) >= LONG:
        text = _WORD.sub(_secret, text)
    return text


def _secret(found: re.Match[str]) -> str:
    word = found[0][:200]
    letters = sum(map(str.isalpha, word))
    if letters and sum(map(str.isdigit, word)) >= 4:
        return word if _UUID.fullmatch(word) else HIDDEN
    switches = sum(one.islower() != other.islower() for one, other in pairwise(word) if one.isalpha())
    return HIDDEN if switches > letters * 0.4 else found[0]
