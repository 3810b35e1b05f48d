"""Which journeys an address of the overview selects: `q`, `tag`, `status`, and whether they are grouped by tag (`group=tag`)."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct

from reports.web.query.time_range import BadRequest

STATUSES = ("passed", "failed", "error")
LONGEST = 100


class JourneyFilter(Struct, frozen=True, kw_only=True):
    """Empty fields match all."""

    search: str = ""
    tag: str = ""
    status: str = ""
    grouped: bool = False

    @property
    def words(self) -> str:
        """The query string for the same, beginning with `&`; empty for all journeys in one list."""
        given = {"q": self.search, "tag": self.tag, "status": self.status, "group": "tag" if self.grouped else ""}
        words = urlencode({name: value for name, value in given.items() if value})
        return f"&{words}" if words else ""

    def matches(self, journey: str, location: str, status: str | None, tags: tuple[str, ...], reason: str) -> bool:
        """Whether a journey at a location is selected; every word of the search is in its name, location, tags or last failure."""
        if (self.tag and self.tag not in tags) or (self.status and self.status != status):
            return False
        text = " ".join((journey, location, *tags, reason)).casefold()
        return all(word in text for word in self.search.casefold().split())


def parse_journey_filter(query: Mapping[str, str]) -> JourneyFilter:
    """The filter of an address. Raises BadRequest."""
    given = {name: query.get(name, "") for name in ("q", "tag", "status", "group")}
    for name, value in given.items():
        if len(value) > LONGEST:
            raise BadRequest(f"{name}: {value[:40]!r}… is longer than {LONGEST} characters; give a shorter one")
    if given["status"] not in {"", *STATUSES}:
        raise BadRequest(f"status: {given['status'][:40]!r} is not valid; choose one of {', '.join(STATUSES)}")
    if given["group"] not in {"", "tag"}:
        raise BadRequest(f"group: {given['group'][:40]!r} is not valid; write group=tag, or leave it out")
    return JourneyFilter(search=given["q"].strip(), tag=given["tag"], status=given["status"], grouped=given["group"] == "tag")
