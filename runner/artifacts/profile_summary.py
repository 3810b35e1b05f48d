"""The busiest functions of a CPU profile of the DevTools protocol (`Profiler.Profile`): self and total time."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

TOP = 20
"""Functions that are kept, by their own time."""
NOT_BUSY = {"(root)", "(idle)"}
"""What V8 calls that in which nothing runs."""


ANONYMOUS = "(anonymous)"


class BusyFunction(Struct, frozen=True, kw_only=True):
    """One function, over all places that call it."""

    function: str
    """Such as `render`, `(anonymous)` or `(garbage collector)`."""
    url: str
    line: int
    """From 1; 0 where there is no script."""
    column: int
    self_seconds: float
    total_seconds: float
    """With all that it calls; what it calls again is counted once."""


class ProfileSummary(Struct, frozen=True, kw_only=True):
    """What a profile says."""

    busy_seconds: float
    """Of all samples in which something ran: scripts, the engine itself, garbage collection; not the runner's own scripts."""
    functions: tuple[BusyFunction, ...]


def summarize_profile(profile: Mapping[str, Any]) -> ProfileSummary:
    """Adds up the time of the samples; each lasts until the next one."""
    nodes = {one["id"]: one for one in profile["nodes"]}
    parents = {child: one["id"] for one in profile["nodes"] for child in one.get("children", ())}
    own: dict[int, int] = {}
    samples, deltas = profile["samples"], profile["timeDeltas"]
    # A delta is the time since the sample before; the last sample lasts until the end.
    ends = [*deltas[1:], max(profile["endTime"] - profile["startTime"] - sum(deltas), 0)]
    for node, lasted in zip(samples, ends, strict=True):
        own[node] = own.get(node, 0) + max(lasted, 0)
    selves: dict[tuple[str, str, int, int], int] = {}
    totals: dict[tuple[str, str, int, int], int] = {}
    for number, lasted in own.items():
        key = _key(nodes[number])
        around: int | None = number
        stack = set()
        while around is not None:
            stack.add(_key(nodes[around]))
            around = parents.get(around)
        if not _is_engine(key) and not any(url for _, url, _, _ in stack):
            # What the runner itself evaluates in pages has no address.
            continue
        selves[key] = selves.get(key, 0) + lasted
        for caller in stack:
            totals[caller] = totals.get(caller, 0) + lasted
    busy = {key: lasted for key, lasted in selves.items() if key[0] not in NOT_BUSY and lasted}
    return ProfileSummary(
        busy_seconds=sum(busy.values()) / 1e6,
        functions=tuple(
            BusyFunction(
                function=key[0],
                url=key[1],
                line=key[2],
                column=key[3],
                self_seconds=lasted / 1e6,
                total_seconds=totals[key] / 1e6,
            )
            for key, lasted in sorted(busy.items(), key=lambda one: (-one[1], one[0]))[:TOP]
        ),
    )


def _is_engine(key: tuple[str, str, int, int]) -> bool:
    """Whether it is the engine's own work, such as `(garbage collector)`."""
    return key[0].startswith("(") and key[0] != ANONYMOUS


def _key(node: Mapping[str, Any]) -> tuple[str, str, int, int]:
    frame = node["callFrame"]
    place = (frame["lineNumber"] + 1, frame["columnNumber"] + 1) if frame["url"] else (0, 0)
    return (frame["functionName"] or ANONYMOUS, frame["url"], *place)
