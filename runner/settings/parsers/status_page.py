"""The public status page: which journeys it shows, under which names."""

import re
from collections.abc import Mapping

from msgspec import Struct

from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.parsers.toml_table import parse_toml_table
from runner.settings.parsers.values import parse_text

PATH = re.compile(r"(?:/[A-Za-z0-9_.-]+)+")
LONGEST = 80


class StatusPage(Struct, frozen=True, kw_only=True):
    """What outsiders may see: nothing else of the monitor is on the page."""

    title: str = "Status"
    path: str = "/status"
    """Where `journey serve` shows it, to everybody."""
    url: str = ""
    """Where it is public, for the links of its feed."""
    journeys: dict[str, str] = {}
    """The public name of each chosen journey; several can have the same."""


def parse_status_page(value: object) -> StatusPage:
    """A table as in the configuration file, or its text in TOML. Raises ValueError that names what is wrong."""
    if isinstance(value, StatusPage):
        return value
    table = parse_toml_table(value, "write a [status_page] table in the configuration file")
    unknown = set(table) - set(StatusPage.__struct_fields__)
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; keys are {', '.join(StatusPage.__struct_fields__)}")
    if "journeys" not in table:
        raise ValueError("journeys is missing; add a line such as journeys = { buy = 'Checkout' }")
    journeys = table["journeys"]
    if not isinstance(journeys, Mapping) or not journeys or not all(_is_name(one) for one in journeys.values()):
        raise ValueError(
            f"journeys: {journeys!r} is not a table of journeys and their public names; write one such as {{ buy = 'Checkout' }}"
        )
    path = table.get("path", "/status")
    if not isinstance(path, str) or not PATH.fullmatch(path):
        raise ValueError(f"path: {path!r} is not a path; write one such as '/status'")
    return StatusPage(
        title=parse_text(table.get("title", "Status")),
        path=path,
        url=parse_url(table["url"]).rstrip("/") if "url" in table else "",
        journeys={str(name): str(public) for name, public in journeys.items()},
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST and value.isprintable()
