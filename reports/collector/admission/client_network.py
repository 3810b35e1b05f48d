"""The network that a request comes from: all that is ever kept of its sender's address.

The address is cut to its first 24 bits (48 of IPv6) as it is read, and is neither kept, nor logged, nor looked up.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

UNKNOWN_NETWORK = "unknown"
Headers = Iterable[tuple[bytes, bytes]]


def header_values(headers: Headers, name: bytes) -> list[str]:
    """All values of a list header, over all of its lines, in their order (RFC 9110, 5.3): the nearest proxy wrote the last.

    >>> header_values([(b"x-user", b"visitor"), (b"x-user", b"a, b")], b"x-user")
    ['visitor', 'a', 'b']
    """
    lines = [value.decode("latin-1") for given, value in headers if given == name]
    return [one.strip() for line in lines for one in line.split(",")]


class ClientNetworks:
    """Reads addresses; those of `trusted` proxies are skipped in `X-Forwarded-For`, which is ignored for others."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(one) for one in trusted]

    def of(self, peer: str, forwarded: str = "") -> str:
        """The network of a sender that is connected from `peer`.

        >>> ClientNetworks().of("192.0.2.77", "198.51.100.9"), ClientNetworks(["192.0.2.0/24"]).of("192.0.2.77", "198.51.100.9")
        ('192.0.2.0/24', '198.51.100.0/24')
        """
        if not self._trusted:
            # The usual case, on every beacon: not worth an address object.
            head, dot, _ = peer.rpartition(".")
            if dot and ":" not in peer:
                return f"{head}.0/24"
        found = _address(peer)
        for hop in reversed(forwarded.split(",") if forwarded and self._trusts(found) else ()):
            one = _address(hop.strip())
            if one is None:
                break
            found = one
            if not self._trusts(one):
                break
        return _truncated(found)

    def of_request(self, peer: str, headers: Headers) -> str:
        """The network of a request that came from `peer`, whose proxies may each have added a line of their own."""
        return self.of(peer, ",".join(header_values(headers, b"x-forwarded-for")) if self._trusted else "")

    def trusts(self, peer: str) -> bool:
        """Whether `peer` is one of the trusted proxies."""
        return self._trusts(_address(peer))

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in one for one in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    # A proxy may write a port behind it: 192.0.2.1:80, [2001:db8::1]:80
    host = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0] if text.count(":") == 1 else text
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _truncated(address: IPv4Address | IPv6Address | None) -> str:
    if address is None:
        return UNKNOWN_NETWORK
    return str(
        ip_network((int(address) if address.version == 6 else str(address), 48 if address.version == 6 else 24), strict=False)
    )
