"""The page views that an address selects: `app`, `page`, `device`, `browser`, `release`, `environment`, `traffic`."""

from collections.abc import Mapping
from typing import get_args
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from reports.users.rollup_queries import DIMENSIONS, Dimension, Filter, read_apps, read_labels
from reports.web.query.time_range import BadRequest
from runner.settings.parsers.values import Traffic

LONGEST_VALUE = 200
"""Characters of a value: no label is longer."""
ALL = "all"
"""All kinds of traffic."""
TRAFFIC: tuple[str, ...] = (*get_args(Traffic), ALL)


class Selection(Struct, frozen=True, kw_only=True):
    """The selection of an address, and the available choices."""

    filter: Filter
    apps: tuple[str, ...]
    choices: dict[Dimension, list[str]]
    """The known values of each label of the app."""
    words: str
    """The query string for the same, beginning with `&`; empty for the default selection."""
    every_app: bool = False
    """Whether the address names no app although there are several; `filter` is then of the first, see `filters`."""

    @property
    def filters(self) -> list[Filter]:
        """A filter for each selected app."""
        return [replace(self.filter, app=app) for app in self.apps] if self.every_app else [self.filter]

    @property
    def traffic(self) -> str:
        """As the address says it."""
        return self.filter.traffic or ALL


def parse_selection(connection: Connection, query: Mapping[str, str]) -> Selection | None:
    """The selection of an address; None when no app has sent anything. Raises BadRequest. Reads the series: some thousand rows."""
    known = tuple(read_apps(connection))
    given = {name: query.get(name, "") for name in ("app", *DIMENSIONS)}
    for name, value in given.items():
        if len(value) > LONGEST_VALUE:
            raise BadRequest(f"{name}: {value[:40]!r}… is longer than {LONGEST_VALUE} characters; no {name} is")
    traffic = given.pop("traffic") or "real"
    if traffic not in TRAFFIC:
        raise BadRequest(f"traffic: {traffic[:40]!r} is not valid; choose one of {', '.join(TRAFFIC)}")
    if not known:
        return None
    app = given.pop("app")
    if app and app not in known:
        raise BadRequest(f"app: {app[:40]!r} has sent nothing yet; choose one of {', '.join(known)}")
    chosen = {name: value for name, value in given.items() if value}
    words = ({"app": app} if app else {}) | chosen | ({"traffic": traffic} if traffic != "real" else {})
    every_app = not app and len(known) > 1
    return Selection(
        every_app=every_app,
        filter=Filter(app=app or known[0], traffic=None if traffic == ALL else traffic, **chosen),
        apps=known,
        choices={name: [] for name in DIMENSIONS} if every_app else read_labels(connection, app or known[0]),
        words=f"&{urlencode(words)}" if words else "",
    )
