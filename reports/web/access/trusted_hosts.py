"""The host names that the dashboard accepts: a page elsewhere can point its own name at this machine (DNS rebinding)."""

from ipaddress import ip_address
from urllib.parse import urlsplit

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 (compared with, not listened on)


class TrustedHosts:
    """Loopback, the host that the server listens on, and that of `public_url`; if it is reachable from outside, also any IP address."""

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
            # Accessing it validates it.
            _ = parts.port
        except ValueError:
            return False
        host = (parts.hostname or "").rstrip(".")
        if host in self._names or host.endswith(".localhost"):
            return True
        # An IP address cannot be rebound.
        return _is_loopback(host) or (self._addresses and _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
