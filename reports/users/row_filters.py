"""Rows of page views and sessions: selecting them, and converting their columns."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Table, or_, select

from reports.users.rollup_queries import DIMENSIONS, Filter
from runner.store.queries.time_range import Range
from runner.store.tables.day_numbers import began_within
from runner.store.tables.page_views import page_views


def select_rows(table: Table, which: Filter, when: Range, page: bool = True) -> Select[Any]:
    """The rows of an app in a range, with the given labels."""
    conditions: list[ColumnElement[bool]] = [
        table.c.app == which.app,
        table.c.started_at >= when.start.timestamp(),
        table.c.started_at < when.end.timestamp(),
    ]
    if table is page_views:
        conditions.append(began_within(page_views.c.number, when.start, when.end))
    for name in DIMENSIONS:
        wanted = getattr(which, name)
        if wanted is None or (name == "page" and not page):
            continue
        if name == "browser":
            conditions.append(or_(table.c.browser == wanted, table.c.browser.startswith(f"{wanted} ", autoescape=True)))
        else:
            conditions.append(table.c[name] == wanted)
    return select(table).where(*conditions)


def newest_views(which: Filter, when: Range, among: int, *columns: str) -> Subquery:
    """These columns of the newest `among` matching page views."""
    rows = select_rows(page_views, which, when).with_only_columns(*(page_views.c[name] for name in columns))
    return rows.order_by(page_views.c.started_at.desc()).limit(among).subquery()


def make_struct(kind: Any, row: Any) -> Any:
    """A struct from the columns of the same names, with times converted."""
    moments = ("at", "started_at", "seen_at", "first_at", "last_at")
    return kind(**{name: from_epoch(row[name]) if name in moments else row[name] for name in kind.__struct_fields__})


def from_epoch(seconds: float) -> datetime:
    """Of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
