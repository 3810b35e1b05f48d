// Beacons that could not be sent: kept, and sent again by this page or the next one, with the same id, so that one which did
// arrive counts once.
import { setTimeout } from "../natives.js";
import { parse, post, stringify, wallClock } from "./natives.js";
import { endpoint } from "./settings.js";
import { read, write } from "./store.js";

const NAME = "unsent";
const OLDEST = 24 * 3_600_000;
/** Characters of all that is kept; the oldest goes first. */
const ROOM = 120_000;
/** Milliseconds between two of them. */
const PAUSE = 1_000;

function kept(except) {
  const list = [];
  try {
    for (const one of parse(read(NAME) || "[]")) {
      if (one.id !== except && wallClock() - one.at < OLDEST) list[list.length] = one;
    }
  } catch {
    // It is not ours, or was cut off: nothing can be done with it.
  }
  return list;
}

const save = (list) => write(NAME, list.length ? stringify(list) : "");

/** Keeps a beacon, and tries another way of sending it while the page is still there. */
export function keep(id, text) {
  const list = kept(id);
  list[list.length] = { id, at: wallClock(), text };
  while (list.length && stringify(list).length > ROOM) list.splice(0, 1);
  save(list);
  post(endpoint, text, () => save(kept(id)));
}

/** Sends what is kept, one after the other. */
export function sendKept() {
  const [first] = kept();
  if (!first) return;
  const beacon = parse(first.text);
  // The collector compares this with its own clock.
  beacon.sent_at = wallClock() / 1000;
  post(endpoint, stringify(beacon), () => {
    save(kept(first.id));
    setTimeout(sendKept, PAUSE);
  });
}
