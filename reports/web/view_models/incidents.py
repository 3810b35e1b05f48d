"""The incidents of the status page, as the people see them who edit them."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.status_page.incidents import KnownIncident
from reports.status_page.status import read_incidents
from runner.settings.parsers.locations import LocationCount
from runner.settings.parsers.status_page import StatusPage


class IncidentList(Struct, frozen=True, kw_only=True):
    """The incidents of the last 90 days, the newest first; none without a status page."""

    incidents: tuple[KnownIncident, ...]


def read_incident_list(
    connection: Connection, page: StatusPage | None, fails: int, now: datetime, rule: LocationCount
) -> IncidentList:
    """The data of the page."""
    return IncidentList(incidents=tuple(read_incidents(connection, page, now, fails, rule)) if page else ())
