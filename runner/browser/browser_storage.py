"""What a browser context remembers of the sites that it visited: Playwright's storage state, with IndexedDB and session storage.

Playwright leaves session storage out, which belongs to a tab. It is kept in the same document, under `sessionStorage`, and put into
the first document of an origin in each new tab.
"""

from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from runner.untrusted_text import encode_json

LARGEST = 20_000_000
"""Bytes of a state with IndexedDB; a larger one is kept without it."""
SESSION = "sessionStorage"
_READ = "() => [location.origin, Object.entries({...sessionStorage})]"
# Once per tab and origin: what the site removes later, as at a sign-out, stays removed.
_RESTORE = """{{
  const entries = {entries}[location.origin];
  try {{
    if (entries && globalThis.top === globalThis && !sessionStorage.getItem("__journeyRestored")) {{
      sessionStorage.setItem("__journeyRestored", "1");
      for (const [name, value] of entries) sessionStorage.setItem(name, value);
    }}
  }} catch {{
    // A document without storage of its own.
  }}
}}"""


def save_storage(context: BrowserContext) -> bytes:
    """The state of a context as JSON. Raises playwright's Error when the browser has gone."""
    state: dict[str, Any] = {}
    try:
        state = dict(context.storage_state(indexed_db=True))
    except PlaywrightError:
        # What a database holds may have no form in JSON: a key, a file.
        state = dict(context.storage_state())
    if len(encode_json(state)) > LARGEST:
        state = dict(context.storage_state())
    sessions = _read_sessions(context)
    return encode_json({**state, SESSION: sessions} if sessions else state)


def restore_sessions(context: BrowserContext, file: Path | None) -> None:
    """Puts the session storage of a saved state into the tabs that the context will open; nothing where there is none.

    To be called before the first page. Raises OSError or msgspec.DecodeError for a file that cannot be read.
    """
    sessions = msgspec.json.decode(file.read_bytes()).get(SESSION) if file is not None else None
    if sessions:
        # A text of JSON is one of JavaScript (ECMAScript 2019).
        context.add_init_script(_RESTORE.format(entries=encode_json(sessions).decode()))


def _read_sessions(context: BrowserContext) -> dict[str, Any]:
    sessions: dict[str, Any] = {}
    for page in context.pages:
        try:
            origin, entries = page.evaluate(_READ)
        except PlaywrightError:
            continue  # It has no storage: a blank page, a sandbox.
        kept = [[name, value] for name, value in entries if name != "__journeyRestored"]
        if kept:
            sessions[origin] = kept
    return sessions
