"""The protocols of checks, one row each: everything that lists protocols reads this table."""

from collections.abc import Sequence
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

from msgspec import Struct

from runner.installation import install_command


class Protocol(Struct, frozen=True, kw_only=True):
    """One protocol: the parameter of a check through which it is used."""

    name: str
    place: str
    """The class that speaks it, as `module:Class`; imported by those who run checks."""
    calls: dict[str, str]
    """What it offers: the name of each method, and the name of its step, in which each `{}` is an argument without a name, in order."""
    phases: tuple[str, ...]
    """The parts of a call that are timed, named as blackbox_exporter names them."""
    imports: dict[str, str] = {}
    """What it imports, and the packages that have it."""
    extra: str = "checks"
    """The extra of this package that installs them."""

    def load(self) -> Any:
        """The class that speaks it. Raises ImportError when a package that it needs is not installed."""
        return resolve_name(self.place)

    def find_missing(self) -> tuple[str, ...]:
        """The packages that it needs and that are not installed."""
        return tuple(package for module, package in self.imports.items() if find_spec(module) is None)

    def explain_missing(self) -> str:
        """That they are missing, and the command that installs them."""
        missing = " and ".join(self.find_missing())
        return f"a check with the parameter {self.name!r} needs {missing}; install it with: {install_command(self.extra)}"


PROTOCOLS = {
    one.name: one
    for one in (
        Protocol(
            name="http",
            place="runner.checks.protocols.http:Http",
            calls={method: f"{method.upper()} {{}}" for method in ("get", "head", "post", "put", "patch", "delete", "options")},
            phases=("resolve", "connect", "tls", "processing", "transfer"),
            imports={"httpx": "httpx"},
        ),
        Protocol(
            name="tcp",
            place="runner.checks.protocols.tcp:Tcp",
            calls={"connect": "connect to {}"},
            phases=("resolve", "connect", "tls", "processing"),
        ),
        Protocol(
            name="tls",
            place="runner.checks.protocols.tls:Tls",
            calls={"valid": "certificate of {}", "expires": "expiry of {}"},
            phases=("resolve", "connect", "tls"),
        ),
        Protocol(
            name="dns",
            place="runner.checks.protocols.dns:Dns",
            calls={"query": "query {} {}"},
            phases=("request",),
            imports={"dns": "dnspython"},
        ),
        Protocol(
            name="grpc",
            place="runner.checks.protocols.grpc:Grpc",
            calls={"health": "health of {}"},
            phases=("resolve", "check"),
            imports={"grpc": "grpcio"},
            extra="checks-grpc",
        ),
        Protocol(
            name="websocket",
            place="runner.checks.protocols.websocket:Websocket",
            calls={"connect": "open {}"},
            phases=("resolve", "connect", "tls", "processing", "transfer"),
            imports={"websockets": "websockets"},
        ),
    )
}


def name_call(call: str, subjects: Sequence[str]) -> str:
    """The name of a step, from a row's `calls` and the method's first arguments.

    >>> name_call("query {} {}", ["shop.example", "MX"])
    'query shop.example MX'
    """
    first, *parts = call.split("{}")
    return first + "".join(subject + part for subject, part in zip(subjects, parts, strict=True))
