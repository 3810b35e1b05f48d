"""What steps have received, in words: by type and party; the same in every report."""

from collections.abc import Iterable

from msgspec import Struct

from reports.text.formatting import format_size
from runner.result import Requests, Weight

HOSTS = 5
"""Third parties that are named, the heaviest first."""


def describe_weight(requests: Requests) -> list[str]:
    """The requests of a step by type, then its third parties; nothing of a step without requests, or of an earlier version's."""
    if not requests.weight:
        return []
    decoded = [one.decoded_bytes for one in requests.weight if one.decoded_bytes is not None]
    types = _sum(requests.weight, "type")
    lines = [f"by type: {_list(types)}" + (f"; {format_size(sum(decoded))} decoded" if decoded else "")]
    third = [one for one in requests.weight if one.party == "third"]
    if third:
        hosts = _sum(third, "host")
        total = f"{_count(sum(one.requests for one in third))}, {format_size(sum(one.transfer_bytes for one in third))}"
        more = f", and {len(hosts) - HOSTS} more" if len(hosts) > HOSTS else ""
        lines.append(f"third parties: {total}: {_list(hosts[:HOSTS])}{more}")
    if requests.blocked:
        lines.append(f"not sent, as the options do not allow them: {_count(requests.blocked)}")
    return lines


class _Sum(Struct):
    name: str
    requests: int = 0
    bytes: int = 0


def _sum(weight: Iterable[Weight], by: str) -> list[_Sum]:
    found: dict[str, _Sum] = {}
    for one in weight:
        total = found.setdefault(getattr(one, by), _Sum(getattr(one, by) or "other hosts"))
        total.requests += one.requests
        total.bytes += one.transfer_bytes
    return sorted(found.values(), key=lambda one: (-one.bytes, one.name))


def _list(sums: Iterable[_Sum]) -> str:
    return ", ".join(f"{one.name} {format_size(one.bytes)} ({one.requests})" for one in sums)


def _count(requests: int) -> str:
    return f"{requests} {'request' if requests == 1 else 'requests'}"
