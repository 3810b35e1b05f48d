"""Errors of page views, their reasons, and the number of errors per reason and hour."""

from collections.abc import Collection
from typing import Any

from reports.collector.beacon import SCRIPT_KINDS, ScriptError
from reports.collector.storage.series import Directory, generalize_message, group_by_message, other_reason
from runner.store.bulk_insert import Insert, Link, larger
from runner.store.tables.page_views import page_errors, reason_tallies, reasons

_PUT_ERRORS = Insert(page_errors, added=("count",))
_PUT_REASONS = Insert(reasons, added=("count", "views"), computed={"last_at": larger("reasons", "last_at")})
_PUT_TALLIES = Insert(reason_tallies, added=("count", "views"))


class ErrorRows:
    """The errors of a batch."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._known: set[tuple[int, str]] = set()
        self._errors: dict[tuple[int, str], list[Any]] = {}
        self._reasons: dict[str, list[Any]] = {}
        self._tallies: dict[tuple[str, int], list[Any]] = {}

    def read(self, link: Link, views: Collection[int]) -> None:
        """Reads what is known of these views, by their numbers."""
        self._known = {tuple(row) for row in link.among("SELECT view, reason FROM page_errors WHERE view", views)}

    def add(self, link: Link, app: str, release: str, number: int, started_at: float, errors: Collection[ScriptError]) -> int:
        """Adds errors of a view; returns how many are from the page's scripts: reports by the browser itself are stored, not counted."""
        total = 0
        for error in errors:
            reason = self._directory.reason(link, app, release, error)
            at = started_at + error.at_seconds
            key = (number, reason)
            listed = self._errors.get(key)
            first = int(listed is None and key not in self._known)
            if listed is None:
                self._errors[key] = [*key, at, error.count, error.message, error.line, error.column]
            else:
                listed[3] += error.count
            if error.kind in SCRIPT_KINDS:
                total += error.count
            known = self._reasons.get(reason)
            if known is None:
                self._reasons[reason] = _reason_row(app, release, reason, error, at, first)
            else:
                known[7] = min(known[7], at)
                known[8] = max(known[8], at)
                known[9] += error.count
                known[10] += first
            tally = self._tallies.setdefault((reason, int(at // 3600) * 3600), [0, 0])
            tally[0] += error.count
            tally[1] += first
        return total

    def write(self, link: Link) -> None:
        """Writes all rows."""
        known = [row for key, row in self._errors.items() if key in self._known]
        link.add(_PUT_ERRORS, [row for key, row in self._errors.items() if key not in self._known], known)
        link.insert(_PUT_REASONS, list(self._reasons.values()))
        link.insert(_PUT_TALLIES, [[*key, *tally] for key, tally in self._tallies.items()])


def _reason_row(app: str, release: str, reason: str, error: ScriptError, at: float, first: int) -> list[Any]:
    if reason == other_reason(app):
        message = "more kinds of errors than are kept apart"
        return [reason, app, "reported", "", message, "", "", at, at, error.count, first, "", 0, 0, reason, None, 0.0]
    message = generalize_message(error.message)
    seen = [at, at, error.count, first]
    place = [release, error.line, error.column, group_by_message(app, error)]
    return [reason, app, error.kind, error.type, message, error.source, error.stack, *seen, *place, None, 0.0]
