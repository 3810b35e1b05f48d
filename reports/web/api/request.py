"""What an address of the API asks for."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from reports.web.api.parameter import SELECTION
from reports.web.query.page_view_filter import Selection, parse_selection
from reports.web.query.time_range import TimeRange
from reports.web.site import Site


class ApiRequest(Struct, frozen=True):
    """What an address asks for: over which connection, of which site and span, with which values in its path and parameters."""

    connection: Connection
    site: Site
    time_range: TimeRange
    values: Mapping[str, Any]

    @property
    def chosen(self) -> Selection | None:
        """Which page views; None when none is stored. Raises BadRequest."""
        given = {one.name: self.values.get(one.name) or "" for one in SELECTION}
        return parse_selection(self.connection, given)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]
