"""`dns`: what a name server answers."""

import ipaddress
from collections.abc import Collection

import dns.exception
import dns.message
import dns.rdatatype
import dns.resolver

from runner.checks.connection import resolve_host
from runner.checks.failures import CallFailed, explain_network, quote
from runner.checks.protocols.protocol_client import ProtocolClient, parse_peer
from runner.checks.steps import CallError

MOST_ANSWERS = 100
"""Answers that are looked at."""


class Dns(ProtocolClient):
    """What a check gets as `dns`."""

    def query(
        self,
        host: str,
        type: str,  # noqa: A002 (the field's own name, RFC 1035)
        /,
        *,
        server: str | None = None,
        answers: Collection[str] | str = (),
        only: bool = False,
        name: str | None = None,
        under: str | float | None = None,
    ) -> tuple[str, ...]:
        """The answers for a name: `A`, `AAAA`, `MX`, `TXT`, `CNAME` and so on, as text without a final dot, sorted.

        `server` is the name server to ask (`host` or `host:port`), else the resolver of this machine. `answers` must be among the
        answers; with `only`, there must be no others.
        """
        wanted = {answers} if isinstance(answers, str) else set(answers)
        with self._steps.call("dns", "query", [host, type], name, under) as phases:
            try:
                kind = dns.rdatatype.from_text(type)
            except (dns.exception.DNSException, ValueError) as error:
                raise CallError(f"dns.query: {type!r} is not a type of record; write one such as 'AAAA'") from error
            resolver = self._make_resolver(server)
            with phases.measure("request"):
                found = self._ask(resolver, host, kind, type, server)
            missing = {one.rstrip(".") for one in wanted} - set(found)
            shown = ", ".join(map(quote, found[:10]))
            if missing:
                raise CallFailed("assertion", f"{host} {type} lacks {', '.join(sorted(missing))}; the answer is {shown}")
            if only and (more := set(found) - {one.rstrip(".") for one in wanted}):
                raise CallFailed("assertion", f"{host} {type} has {len(more)} unexpected answers; the answer is {shown}")
            return found

    def _make_resolver(self, server: str | None) -> dns.resolver.Resolver:
        if server is None:
            try:
                return dns.resolver.Resolver()
            except (dns.exception.DNSException, OSError) as error:
                raise CallFailed("monitor", f"this machine has no resolver: {error}") from error
        resolver = dns.resolver.Resolver(configure=False)
        host, port = parse_peer(server, 53)
        try:
            ipaddress.ip_address(host)
        except ValueError:
            try:
                host = str(resolve_host(host, port, self._steps.limit)[0][4][0])
            except OSError as error:
                raise explain_network(error, server, "resolve") from error
        resolver.nameservers = [host]
        resolver.port = port
        return resolver

    def _ask(
        self, resolver: dns.resolver.Resolver, host: str, kind: dns.rdatatype.RdataType, written: str, server: str | None
    ) -> tuple[str, ...]:
        asked = server or "the resolver of this machine"
        try:
            answer = resolver.resolve(host, kind, search=False, lifetime=self._steps.limit.left())
        except dns.resolver.NXDOMAIN as error:
            raise CallFailed("navigation", f"the name {host} does not exist (NXDOMAIN)") from error
        except dns.resolver.NoAnswer as error:
            raise CallFailed("navigation", f"the name {host} exists and has no {written} records") from error
        except dns.exception.Timeout as error:
            # A server that the check names is what it checks; the resolver of this machine is the monitor's.
            raise CallFailed("timeout" if server else "monitor", f"{asked} did not answer in time for {host}") from error
        except dns.resolver.NoNameservers as error:
            if any(isinstance(one[3], OSError | dns.exception.Timeout) for one in error.kwargs.get("errors", ())):
                raise CallFailed("navigation" if server else "monitor", f"{asked} cannot be reached") from error
            raise CallFailed("navigation", f"{asked} has no valid answer for {host}: {quote(_list_codes(error))}") from error
        except (dns.exception.DNSException, ValueError) as error:
            raise CallError(f"dns.query: {host!r} cannot be asked for: {error}") from error
        texts = (one.to_text().rstrip(".") for one in list(answer)[:MOST_ANSWERS])
        return tuple(sorted(text.strip('"') if written.upper() == "TXT" else text for text in texts))


def _list_codes(error: dns.resolver.NoNameservers) -> str:
    return ", ".join(sorted({str(one[3]) for one in error.kwargs.get("errors", ())})) or "no answer"
