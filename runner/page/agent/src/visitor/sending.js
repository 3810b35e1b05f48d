// Puts news into beacons and hands them to the browser: by when they are wanted, and at once when the page is left.
import { performance, setTimeout } from "../natives.js";
import { api } from "./api.js";
import { uuid } from "./identity.js";
import { bytes, sendBeacon, stringify, wallClock } from "./natives.js";
import { app, endpoint, environment, key, warn } from "./settings.js";
import { compact, cut } from "./shape.js";
import { mark } from "./synthetic.js";
import { keep } from "./unsent.js";
import { takeNews } from "./views.js";

/** All that a page has under way in keepalive requests may be 64 KiB (Fetch Standard, HTTP-network-or-cache fetch). */
const MOST = 60_000;

let due = Infinity;
let turn = 0;

/** Sends what is new within so many milliseconds; 0 is now. */
export function sendWithin(patience) {
  if (!patience) return flush();
  const at = performance.now() + patience;
  if (at >= due) return;
  due = at;
  const mine = ++turn;
  setTimeout(() => {
    if (mine === turn) flush();
  }, patience);
}

export function flush() {
  due = Infinity;
  turn++;
  const groups = new Map();
  for (const { session, step, view } of takeNews()) {
    const of = `${session} ${step}`;
    if (!groups.has(of)) groups.set(of, envelope(session, step));
    const { views } = groups.get(of);
    views[views.length] = view;
  }
  groups.forEach(send);
}

function envelope(session, step) {
  const beacon = compact({
    id: uuid(),
    app,
    session,
    sent_at: wallClock() / 1000,
    key: cut(key, 100),
    release: cut(api.release, 200),
    environment: cut(environment, 200),
    webdriver: navigator.webdriver === true,
    synthetic: mark && compact({ ...mark, step }),
    viewport: [innerWidth, innerHeight],
    connection: cut(navigator.connection?.effectiveType, 20),
  });
  beacon.views = [];
  return beacon;
}

function send(beacon) {
  try {
    const answer = api.beforeSend?.(beacon);
    // A hook that answers nothing has changed the beacon in place.
    const told = answer === undefined ? beacon : answer;
    // The page may be going: a promise cannot be waited for.
    if (told?.then) throw "a promise";
    const text = told && stringify(told);
    if (bytes(text || "") > MOST) throw `over ${MOST} bytes`;
    if (text && !sendBeacon(endpoint, text)) keep(told.id, text);
  } catch (error) {
    warn(`beforeSend: ${error}`);
  }
}
