"""The proxy of the environment, where it needs a user and a password.

Chromium reads `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` itself, but leaves out the credentials in them, so that such
a proxy answers 407. Only those proxies are handed to Playwright, which answers the proxy's challenge.
"""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct

from runner.dsl.context_plan import LOOPBACK

NAMES = ("https_proxy", "http_proxy", "all_proxy")
"""In their order: one proxy serves all of a browser, and most sites are https."""


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy as Playwright takes it: the address without credentials, and the hosts that are reached directly."""

    server: str
    username: str
    password: str
    bypass: str


def proxy_with_password(environment: Mapping[str, str]) -> Proxy | None:
    """The first proxy of the environment (either case of its name) that has credentials; None where Chromium needs no help."""
    for name in NAMES:
        value = _variable(environment, name)
        parts = urlsplit(value if "://" in value else f"http://{value}")
        if parts.username is None or parts.hostname is None:
            continue
        direct = [one.strip() for one in _variable(environment, "no_proxy").split(",") if one.strip()]
        return Proxy(
            server=urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", "")),
            username=unquote(parts.username),
            password=unquote(parts.password or ""),
            bypass=",".join((*LOOPBACK, *direct)),
        )
    return None


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""
