"""What no journey touches as tables, for `journey coverage`."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from reports.users.coverage import Action, Coverage, Page


def render_coverage(found: Coverage) -> Iterator[Table]:
    """One for pages, one for actions; none for what there is nothing of."""
    if found.untouched_pages:
        table = _table("page that no journey opens", "views", "session")
        for page in found.untouched_pages:
            table.add_row(escape(page.page), str(page.views), _session(page))
        yield table
    if found.untouched_actions:
        table = _table("action that no journey does", "on", "times", "session")
        for action in found.untouched_actions:
            named = f"{action.role} “{action.name}”" if action.role else f"“{action.name}”"
            table.add_row(escape(named), escape(action.page), str(action.count), _session(action))
        yield table


def _session(one: Page | Action) -> str:
    return one.session if one.recorded else f"{one.session} (not recorded)"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        number = heading in {"views", "times"}
        table.add_column(heading, justify="right" if number else "left", no_wrap=number or heading == "session")
    return table
