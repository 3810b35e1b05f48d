// Whose visit this is: an id that all tabs share, until it has not been used for half an hour, or for four hours in all.
import { made, share, uuid } from "./identity.js";
import { wallClock } from "./natives.js";
import { discreet, sample } from "./settings.js";
import { read, write } from "./store.js";
import { mark } from "./synthetic.js";

const NAME = "session";
const IDLE = 30 * 60_000;
const LONGEST = 4 * 3_600_000;
/** Another tab may have noted its use a little later than now, by its clock. */
const SKEW = 60_000;
/** Milliseconds in which the storage is not looked at again: a click must not wait for it. */
const GRAIN = 10_000;

let current;
let usedAt = 0;

/** The id of the visit that is going on, which is used by this call; a new one if the last is over. */
export function session() {
  // Who asks for privacy is someone else at each page view.
  if (discreet) return uuid();
  const now = wallClock();
  if (Math.abs(now - usedAt) < GRAIN) return current;
  usedAt = now;
  const [id, used] = read(NAME).split("/");
  const goesOn = /^[\da-f-]{36}$/.test(id) && now - used < IDLE && used - now < SKEW && now - made(id) < LONGEST;
  current = goesOn ? id : uuid();
  write(NAME, `${current}/${now}`);
  return current;
}

/** Whether a visit is reported: always the same for an id, so that a visit is reported as a whole or not. */
export const sampled = (id) => mark || share(id) < sample;
