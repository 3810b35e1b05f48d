"""What an address compares: the time range of a page with another one, or one release with another.

`release` narrows the runs that are shown. `with=before` takes the span of the same length before it, `with_from` and `with_to` any
other instead, `with=same` the span itself; `with_release` narrows the other side.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct

from reports.web.query.time_range import BadRequest, TimeRange, parse_bounds

SAME, BEFORE = "same", "before"
OFFERED_SIDES = (SAME, BEFORE)
COMPARISON_PARAMETERS = ("release", "with", "with_release", "with_from", "with_to")
LONGEST_RELEASE = 100
"""Characters of a release: the limit of the setting."""


class Side(Struct, frozen=True, kw_only=True):
    """Some runs of a journey."""

    time_range: TimeRange
    release: str | None = None


class ComparedSides(Struct, frozen=True, kw_only=True):
    """Two sides, and the address for them."""

    baseline: Side
    candidate: Side
    words: str
    """The query string for the same, beginning with `&`."""


def asks_for_comparison(query: Mapping[str, str | None]) -> bool:
    """Whether an address asks for a comparison; empty values, as forms send them, do not count."""
    return any(query.get(name) for name in COMPARISON_PARAMETERS)


def parse_comparison(query: Mapping[str, str | None], shown: TimeRange) -> ComparedSides:
    """The two sides; by default compared with the time range before. Raises BadRequest."""
    given = {name: query.get(name) or "" for name in COMPARISON_PARAMETERS}
    for name in ("release", "with_release"):
        if len(given[name]) > LONGEST_RELEASE:
            raise BadRequest(f"{name}: {given[name][:40]!r}… is longer than {LONGEST_RELEASE} characters; no release is")
        if not given[name].isprintable():
            raise BadRequest(f"{name}: {given[name]!r} contains characters that cannot be printed; no release has such a name")
    named = bool(given["release"] or given["with_release"])
    which = given["with"] or (SAME if named else BEFORE)
    if which not in OFFERED_SIDES:
        raise BadRequest(f"with: {which[:40]!r} is not valid; choose one of {', '.join(OFFERED_SIDES)}")
    if given["with_from"] or given["with_to"]:
        if not (given["with_from"] and given["with_to"]):
            raise BadRequest("with_from: a time range needs both with_from and with_to")
        other = parse_bounds(given["with_from"], given["with_to"], shown.end, "with_")
    else:
        other = shown.before() if which == BEFORE else shown
    candidate = Side(time_range=shown, release=given["release"] or None)
    baseline = Side(time_range=other, release=given["with_release"] or None)
    _apart(baseline, candidate)
    words = urlencode([(name, value) for name, value in given.items() if value])
    return ComparedSides(baseline=baseline, candidate=candidate, words=f"&{words}" if words else "")


def _apart(baseline: Side, candidate: Side) -> None:
    """A run on both sides would make them similar, whatever has changed."""
    before, after = baseline.time_range, candidate.time_range
    differ = None not in {baseline.release, candidate.release} and baseline.release != candidate.release
    if before.start < after.end and after.start < before.end and not differ:
        raise BadRequest(
            "with: both sides would have the same runs; name two releases with release and with_release, "
            "or another time range with with=before or with_from and with_to"
        )
