// What has happened on the page, newest last. A bounded ring: a page that never rests must not grow.
import { absolute, now } from "../clock.js";

const SIZE = 512;
const ring = new Array(SIZE);
let next = 0;

/** Notes an effect that ended at `at`, of a cause that began at `from` (both since the epoch). */
export function effect(signal, at = now(), from = at) {
  const newest = ring[(next + SIZE - 1) % SIZE];
  // Changes within one millisecond are one effect; the reader only looks for the last.
  if (newest && newest.signal === signal && from === at && newest.from === newest.at && at - newest.at < 1) {
    newest.at = newest.from = at;
    return;
  }
  ring[next] = { signal, at, from };
  next = (next + 1) % SIZE;
}

/** As `effect`, with times counted from the document's start. */
export const relativeEffect = (signal, at, from = at) => effect(signal, absolute(at), absolute(from));

/** The last effect that began at `since` or later and ended by `until`; null when there is none. */
export function lastEffect(since, until) {
  let last = null;
  for (let i = 0; i < SIZE; i++) {
    const one = ring[i];
    if (one && one.from >= since && one.at <= until && (!last || one.at > last.at)) last = one;
  }
  return last;
}
