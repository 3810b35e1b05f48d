"""Removes what must not be kept from addresses and texts: queries, fragments, credentials, e-mail addresses, long secrets.

An address loses its user and password, its fragment, its path parameters (`;jsessionid=…`) and its query, except for the keys that the
app allows. Addresses inside texts (messages, stacks, titles, names) are cleaned in the same way. What is left of a text loses
e-mail addresses, JSON Web Tokens, runs of twelve digits or more (card and account numbers) and long words that look random.
"""

import re
from functools import lru_cache

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
_IN_RUN = r"[^\s\"'`<>()]"
_SCHEMES = r"(?<![a-z0-9])(?:data|blob|javascript|mailto|tel|file|https?):"
_RUN = re.compile(rf"(?<!{_IN_RUN}){_IN_RUN}*?(?:://|\?|{_SCHEMES}){_IN_RUN}*", re.IGNORECASE)
"""What may be an address in a text. Every pattern here takes time in proportion to the text, whatever a stranger writes into it: what can
begin anywhere in a run of characters is looked for from the beginning of the run only."""
_SCHEME = re.compile(_SCHEMES, re.IGNORECASE)
_IN_SCHEME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-"
_SCHEME_LENGTH = 31
_QUERY = re.compile(r"\?[\w.~%\[\]-]+=")
_PLACE = re.compile(r"(?::\d{1,7}){1,2}$")
"""Line and column, which a stack puts behind an address."""
_MAIL = re.compile(r"(?:(?<![\w.+%-])|(?<=%40))(?:[\w.+-]++|%(?!40))++(?:@|%40)[\w-]++(?:\.[\w-]++)++")
_TOKEN = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+){0,2}")
_WORD = re.compile(rf"(?<![A-Za-z0-9_+=-])[A-Za-z0-9_+=-]{{{LONG},}}")
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SWITCH = re.compile(r"[a-z](?=[^a-z])|[A-Z](?=[a-z])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MANY_DIGITS = re.compile(r"(?<![\d -])(?:[ -]*\d){12,}")
"""What a text contains if there are so many digits in a row."""
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
        return self._clean_address(_BREAKS.sub("", _CONTROL.sub("", address)).strip())

    def _clean_address(self, address: str, within_blob: bool = False) -> str:
        found = _ADDRESS.fullmatch(address)
        if found is None:
            return ""
        scheme, authority, path, query = (part or "" for part in found.groups())
        if scheme.lower() == "blob:":
            # The address of the page that made it; one inside another has no meaning, and would be followed a thousand times.
            return "blob:" if within_blob else f"blob:{self._clean_address(path.strip(), within_blob=True)}"
        if scheme.lower() not in _KEPT_SCHEMES:
            return scheme
        if authority:
            authority = f"//{authority[2:].rpartition('@')[2]}"
        elif scheme:
            # Browsers read `https:shop.example` and `https:\\shop.example` as addresses too.
            path = path.rpartition("@")[2]
        kept = [pair for pair in query.split("&") if pair.partition("=")[0] in self._keys] if query and self._keys else []
        path = _without_secrets(_PARAMETERS.sub("", path)) if path else ""
        return f"{scheme}{authority}{path}{f'?{chr(38).join(kept)}' if kept else ''}".strip()

    def text(self, text: str) -> str:
        """The text without what must not be kept; addresses in it are cleaned."""
        if not text or (len(text) < 12 and "@" not in text and "?" not in text and text.isprintable()):
            return text
        return self._known_text(text)

    def _text(self, text: str) -> str:
        text = _CONTROL.sub("", text)
        if "?" in text or ":" in text:
            text = _RUN.sub(self._run, text)
        return _without_secrets(text)

    def _run(self, found: re.Match[str]) -> str:
        run = found[0]
        address = run.rstrip(".,;:!?")
        place = _PLACE.search(address)
        end = place.start() if place else len(address)
        begin = _find_begin(run, end)
        if begin is None:
            query = _QUERY.search(run, 0, end)
            begin = query.start() if query else end
        return run[:begin] + self.url(run[begin:end]) + run[end:] if begin < end else run


def _find_begin(run: str, end: int) -> int | None:
    """Where in a run an address begins that has a scheme, before `end`; None if there is none."""
    at = run.find("://", 0, end)
    if at >= 0:
        before = run[max(at - _SCHEME_LENGTH, 0) : at]
        scheme = before[len(before.rstrip(_IN_SCHEME)) :].lstrip("0123456789+.-")
        at = at - len(scheme) if scheme else -1
    named = _SCHEME.search(run, 0, at if at >= 0 else end)
    return named.start() if named else at if at >= 0 else None


def _without_secrets(text: str) -> str:
    if "@" in text or "%40" in text:
        text = _MAIL.sub(HIDDEN, text)
    if "eyJ" in text:
        text = _TOKEN.sub(HIDDEN, text)
    if len(text) >= 12 and _MANY_DIGITS.search(text):
        text = _DIGITS.sub(lambda found: found["uuid"] or HIDDEN, text)
    if len(text) >= LONG:
        text = _WORD.sub(_secret, text)
    return text


def _secret(found: re.Match[str]) -> str:
    word = found[0][:200]
    raw = word.encode()
    letters = len(raw) - len(raw.translate(None, _LETTERS))
    if letters and len(raw) - len(raw.translate(None, b"0123456789")) >= 4:
        return word if _UUID.fullmatch(word) else HIDDEN
    return HIDDEN if len(_SWITCH.findall(word)) > letters * 0.4 else found[0]
