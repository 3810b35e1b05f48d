"""The names under which the dashboard answers: a page elsewhere can point a name of its own at this machine (DNS rebinding)."""

from ipaddress import ip_address
from urllib.parse import urlsplit

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 (not listened on, but looked for)


class TrustedHosts:
    """Loopback, the host that is listened on, and that of `public_url`; `addresses` lets any address without a name in."""

    def __init__(self, listening: str, public_url: str | None = None, more: tuple[str, ...] = ()) -> None:
        host = listening.rpartition(":")[0].strip("[]").lower()
        self._names = {"localhost", *(one.lower() for one in more)}
        self._addresses = not _is_loopback(host)
        if host not in EVERYWHERE:
            self._names.add(host)
        if public_url:
            self._names.add((urlsplit(public_url).hostname or "").lower())

    def __contains__(self, header: object) -> bool:
        """Whether a request with this Host header is answered."""
        if not isinstance(header, str) or len(header) > 255 or any(sign in header for sign in "/\\@?#, \t"):
            return False
        try:
            parts = urlsplit(f"//{header}")
            # Reading it is what checks it.
            _ = parts.port
        except ValueError:
            return False
        host = (parts.hostname or "").rstrip(".")
        if host in self._names or host.endswith(".localhost"):
            return True
        # No name stands behind an address, so none can be pointed elsewhere.
        return _is_loopback(host) or (self._addresses and _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
