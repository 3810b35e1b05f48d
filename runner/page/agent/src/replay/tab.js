// Which tab this is, and how many chunks it has sent: both go with the visitor from page to page.
import { parse, stringify } from "../visitor/natives.js";
import { uuid } from "../visitor/identity.js";
import { app, stores } from "../visitor/settings.js";

const NAME = `journey-user/${app}/replay`;

/** `{tab, session, sequence, unsent}`, as the last page of this tab has left it; it is taken away, so that a copy of the tab has its own. */
export function take() {
  try {
    const found = stores && sessionStorage.getItem(NAME);
    if (found) {
      sessionStorage.removeItem(NAME);
      return parse(found);
    }
  } catch {
    // There is no storage, or nothing of ours in it.
  }
  return { tab: uuid(), session: "", sequence: 0, unsent: [] };
}

/** Leaves it for the next page; without what could not be sent, if there is no room. */
export function leave(state) {
  for (const one of [state, { ...state, unsent: [] }]) {
    try {
      if (stores) sessionStorage.setItem(NAME, stringify(one));
      return;
    } catch {
      // There is less room than that.
    }
  }
}
