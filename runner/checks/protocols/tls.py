"""`tls`: whether a server's certificate is valid, for how long, and which version of TLS it speaks."""

from datetime import UTC, datetime, timedelta

from runner.checks.connection import Connection
from runner.checks.failures import CallFailed, explain_network
from runner.checks.phases import Phases
from runner.checks.protocols.protocol_client import ProtocolClient, parse_peer
from runner.checks.steps import CallError, CheckSteps
from runner.checks.trust import tls_context
from runner.result import Certificate
from runner.settings.duration import parse_positive_duration

VERSIONS = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")


class Tls(ProtocolClient):
    """What a check gets as `tls`."""

    def __init__(self, steps: CheckSteps) -> None:
        super().__init__(steps)
        # Read before the first call is timed.
        self._context = tls_context(steps.options.ca_file)

    def valid(
        self,
        peer: str,
        /,
        *,
        at_least: str = "TLS 1.2",
        server_name: str | None = None,
        name: str | None = None,
        under: str | float | None = None,
    ) -> Certificate:
        """Whether the chain of `host` (port 443) or `host:port` is valid, and valid for the host, in this version of TLS or a later one.

        `server_name` is the name to ask for and to verify, if it is not the host.
        """
        with self._steps.call("tls", "valid", [peer], name, under) as phases:
            return self._meet(peer, server_name, at_least, phases)

    def expires(
        self,
        peer: str,
        /,
        *,
        later_than: str | float,
        server_name: str | None = None,
        name: str | None = None,
        under: str | float | None = None,
    ) -> Certificate:
        """The same, and whether its chain is valid for longer than `later_than` (such as `"14d"`) from now on."""
        with self._steps.call("tls", "expires", [peer], name, under) as phases:
            try:
                least = timedelta(seconds=parse_positive_duration(later_than))
            except ValueError as error:
                raise CallError(f"tls.expires: later_than: {error}") from error
            found = self._meet(peer, server_name, "TLS 1.2", phases)
            left = found.first_end - datetime.now(UTC)
            if left <= least:
                raise CallFailed(
                    "assertion",
                    f"the certificate {_name_first(found)}of {peer} expires on {found.first_end:%Y-%m-%d %H:%M}Z, "
                    f"in {left / timedelta(days=1):.1f} days; expected more than {least / timedelta(days=1):g}",
                )
            return found

    def _meet(self, peer: str, server_name: str | None, at_least: str, phases: Phases) -> Certificate:
        host, port = parse_peer(peer, 443)
        if at_least not in VERSIONS:
            raise CallError(f"tls.valid: at_least: {at_least!r} is not a version; choose one of {', '.join(VERSIONS)}")
        try:
            with Connection.open(host, port, phases, self._steps.limit) as connection:
                connection.encrypt(self._context, server_name)
                found = connection.certificate()
        except OSError as error:
            raise explain_network(error, f"{host}:{port}", phases.current) from error
        if found is None:
            raise CallFailed("navigation", f"{peer} showed no certificate")
        self._steps.keep_certificate(found)
        if found.protocol in VERSIONS and VERSIONS.index(found.protocol) < VERSIONS.index(at_least):
            raise CallFailed("assertion", f"{peer} speaks {found.protocol}; expected {at_least} or later")
        return found


def _name_first(found: Certificate) -> str:
    """Which certificate of the chain ends first, if it is not the host's own."""
    return "" if found.first_end == found.valid_until else f"“{found.chain_ends_with}” in the chain "
