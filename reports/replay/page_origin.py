"""The origin of a recorded page, and whether it is one of the app's: a recording is what a stranger sends, and a journey is made of it."""

import re
from collections.abc import Container, Iterable
from urllib.parse import urlsplit

_PAGE = re.compile(r"(https?)://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?=[/?#]|\Z)", re.IGNORECASE)
_PORTS = {"http": "80", "https": "443"}


def page_origin(address: str) -> str:
    """The origin of a page as browsers write it, "" if it is not the address of a page in the network.

    Read strictly: what Python and a browser could read differently (credentials, backslashes, blanks) is not an origin.

    >>> page_origin("https://Shop.example:443/cart"), page_origin("https://shop.example\\\\@evil.example/"), page_origin("about:blank")
    ('https://shop.example', '', '')
    """
    found = _PAGE.match(address)
    if found is None:
        return ""
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    return f"{scheme}://{host}" + (f":{int(port)}" if port and port != _PORTS[scheme] else "")


def find_foreign_page(addresses: Iterable[str], origins: Container[object]) -> str:
    """The first address that a browser might open outside of these origins; "" if there is none."""
    for address in addresses:
        origin = page_origin(address)
        if origin not in origins if origin else _may_be_opened(address):
            return address
    return ""


def _may_be_opened(address: str) -> bool:
    """Whether an address without an origin could lead somewhere all the same; `about:blank` and apps' own schemes do not."""
    try:
        scheme = urlsplit(address.strip()).scheme
    except ValueError:
        return True
    return bool(address) and scheme not in {"about", "app", "blob", "capacitor", "data", "file", "ionic"}
