"""Decides about an error of real users, for the page and for the API."""

from datetime import datetime

from reports.users.one_error import read_error
from reports.web.query.time_range import BadRequest
from runner.store import Store
from runner.store.alerts.mutes import LONGEST_NOTE
from runner.store.error_states import Decision


def decide_error(store: Store, error: str, decision: Decision, who: str, note: str, now: datetime) -> bool:
    """Stores the decision; False if there is no such error. Raises BadRequest, StoreDown."""
    words = " ".join(note.split())
    if len(words) > LONGEST_NOTE:
        raise BadRequest(f"note: has {len(words)} characters; at most {LONGEST_NOTE} are allowed")
    with store.snapshot() as connection:
        found = read_error(connection, error)
    if found is None:
        return False
    # The one that had it last to begin with; those that come after it are later.
    newest = max(found.releases, key=lambda one: one.first_at).release
    store.error_states.decide(error, found.app, decision, newest, who, words, now)
    return True
