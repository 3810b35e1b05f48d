"""What a step has received, by host and type: sums over its requests, bounded, and whose site each host is of."""

from collections.abc import Iterable

from msgspec import Struct

from runner.network.registrable_domain import find_party, host_of
from runner.result import Weight, WeightType
from runner.untrusted_text import LONGEST_NAME, tamed

MOST = 100
"""Sums that are kept of a step; those of the lightest hosts are added up without their names."""
TYPES: dict[str, WeightType] = {
    "document": "document",
    "script": "script",
    "stylesheet": "style",
    "image": "image",
    "font": "font",
    "media": "media",
    "texttrack": "media",
    "xhr": "fetch",
    "fetch": "fetch",
    "eventsource": "fetch",
}
"""By Playwright's types of resources; what has no row is `other`."""


class Received(Struct, frozen=True):
    """One request that has ended."""

    address: str
    kind: str
    """Playwright's type of resource."""
    transferred: int = 0
    decoded: int | None = None


def sum_up(received: Iterable[Received], first: str) -> tuple[Weight, ...]:
    """The sums by host and type, the heaviest first; `first` is a host of the site under test, empty if that is unknown."""
    sums: dict[tuple[str, WeightType, str], list[Received]] = {}
    for one in received:
        host = host_of(one.address)
        party = find_party(host, first) if first else ""
        sums.setdefault((host, TYPES.get(one.kind, "other"), party), []).append(one)
    found = sorted((_add(*key, parts) for key, parts in sums.items()), key=lambda one: -one.transfer_bytes)
    rest: dict[tuple[WeightType, str], Weight] = {}
    for light in found[MOST:]:
        known = rest.get((light.type, light.party), Weight(type=light.type, party=light.party))
        rest[light.type, light.party] = Weight(
            type=light.type,
            party=light.party,
            requests=known.requests + light.requests,
            transfer_bytes=known.transfer_bytes + light.transfer_bytes,
            decoded_bytes=_add_known([known.decoded_bytes, light.decoded_bytes]),
        )
    return (*found[:MOST], *rest.values())


def _add(host: str, kind: WeightType, party: str, parts: list[Received]) -> Weight:
    return Weight(
        host=tamed(host, LONGEST_NAME),
        type=kind,
        party=party,
        requests=len(parts),
        transfer_bytes=sum(one.transferred for one in parts),
        decoded_bytes=_add_known([one.decoded for one in parts]),
    )


def _add_known(values: Iterable[int | None]) -> int | None:
    known = [one for one in values if one is not None]
    return sum(known) if known else None
