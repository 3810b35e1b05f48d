"""Addresses of a recording, as a journey has them: relative to its base URL, and as patterns of what a page is expected at."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from reports.collector.privacy.route_template import is_id, route_template


def origin_of(address: str) -> str:
    """Scheme and host."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def relative_to(address: str, base_url: str) -> str:
    """What to open: from the base URL on, where it is the same site.

    >>> relative_to("https://shop.example/cart?x=1", "https://shop.example"), relative_to("https://pay.example/", "https://shop.example")
    ('/cart?x=1', 'https://pay.example/')
    """
    rest = address.partition("://")[2].removeprefix(urlsplit(address).netloc) or "/"
    return rest if origin_of(address) == origin_of(base_url) else origin_of(address) + rest


def without_ids(address: str) -> str:
    """An address without the parts that name one thing of many, as a name is made of it.

    >>> without_ids("/orders/01a20fc0-aafa-7b1d-ac37-708720ccee0c/edit"), without_ids("/4711"), without_ids("/")
    ('/orders/edit', '/page', '/')
    >>> without_ids("/index.php/Special:AllPages")
    '/index.php/Special:AllPages'
    """
    path = address.partition("?")[0].partition("#")[0]
    if "://" in path:
        return path
    # Wikis and APIs put a colon between two words.
    kept = "/".join(one for one in path.split("/") if not any(map(is_id, one.split(":"))))
    return kept if kept.strip("/") or not path.strip("/") else "/page"


def url_pattern(address: str, base_url: str, rules: Iterable[str] = ()) -> str:
    """A regular expression for where a page is: its route template, with any query, as recordings have none.

    >>> url_pattern("https://shop.example/receipt/LK-1004", "https://shop.example"), url_pattern("https://shop.example/", "https://shop.example")
    ('/receipt/[^/?#]+([?#]|$)', '//[^/]+/?([?#]|$)')
    """
    parts = urlsplit(address)
    if parts.fragment.startswith(("/", "!")):
        fixed = route_template(parts.fragment.lstrip("!"), rules)
        return f"#!?{_expression(fixed, parts.fragment)}$" if fixed != "/" else "#!?/$"
    host = "" if origin_of(address) == origin_of(base_url) else f"//{python_literal(parts.netloc)}"
    path = _expression(route_template(address, rules), parts.path)
    if path == "/":
        return f"{host or '//[^/]+'}/?([?#]|$)"
    return f"{host}{path}/?([?#]|$)" if parts.path.endswith("/") else f"{host}{path}([?#]|$)"


def _expression(route: str, path: str) -> str:
    plain = set(path.split("/"))
    segments = [one for one in route.split("/") if one]
    return "/" + "/".join(
        # Encoded letters are decoded in the template.
        "[^/?#]+" if one.startswith(":") or (one != "*" and one not in plain) else ".*" if one == "*" else python_literal(one)
        for one in segments
    )


def python_literal(text: str) -> str:
    """A text as a regular expression, with no more backslashes than it needs."""
    return re.sub(r"[.+*?^$()\[\]{}|\\]", r"\\\g<0>", text)
