// More of the browser's own, for the agent of real users. See ../natives.js.
import { guarded, stringify as plain } from "../natives.js";

const { crypto, fetch, navigator, JSON, Date: Clock, TextEncoder } = globalThis;

export const { URL } = globalThis;
export const parse = JSON.parse.bind(JSON);
/** Milliseconds since the epoch by the clock on the wall, which goes on while the machine sleeps. */
export const wallClock = Clock.now.bind(Clock);
export const randomBytes = (count) => crypto.getRandomValues(new Uint8Array(count));
export const isVisible = () => document.visibilityState === "visible";

const encoder = new TextEncoder();
/** The length of a text in UTF-8. */
export const bytes = (text) => encoder.encode(text).length;

// Old libraries (Prototype before 1.7) give every array and text a `toJSON` of their own: messages would be quoted twice.
// The last one first: what the others inherit from it is not theirs.
const SPOILED = [Object.prototype, Array.prototype, String.prototype];
export function stringify(value) {
  const spoilers = [];
  for (let i = 0; i < SPOILED.length; i++) {
    spoilers[i] = SPOILED[i].toJSON;
    delete SPOILED[i].toJSON;
  }
  try {
    // Half a character is not JSON for others.
    return plain(value).replace(/\\(?:u(d[89a-f]..)|.)/g, (escaped, half) => (half ? "\ufffd" : escaped));
  } finally {
    for (let i = 0; i < SPOILED.length; i++) if (spoilers[i]) SPOILED[i].toJSON = spoilers[i];
  }
}

/** Calls `note` after each call of a method, with its arguments, its owner and its answer, which it may replace. */
export function overhear(owner, name, note) {
  const noting = guarded(note);
  owner[name] &&= new Proxy(owner[name], {
    apply(target, self, args) {
      const answer = Reflect.apply(target, self, args);
      return noting(args, self, answer) ?? answer;
    },
  });
}

const beacon = navigator.sendBeacon?.bind(navigator);
const online = () => navigator.onLine !== false;

/** Hands a text to the browser, which sends it even when the page goes; false when it cannot be sent now. */
export const sendBeacon = (address, text) => online() && guarded(beacon)(address, text);

/** Sends a text; calls `taken` once a server has taken it, or has refused it for good. */
export function post(address, text, taken) {
  if (!online()) return;
  fetch(address, { method: "POST", body: text, keepalive: true, credentials: "omit" }).then(
    ({ status }) => (status >= 500 || status === 429 || taken()),
    () => {},
  );
}
