// Records what a journey's page shows, for a player: an init script, as the policy `replay` says. What is recorded goes to the
// runner in pieces, through a binding; runner/artifacts/replay.py takes it.
//
// No step is to wait for it. The recorder is imported when the page is done: bundled, that is a function which the browser reads over
// and does not run until then. The first picture is taken then, or at the first action if that comes sooner.
import { binding, stringify } from "./journey/natives.js";
import { addEventListener, guarded, setTimeout, whenIdle } from "./natives.js";

const tell = binding("__journeyReplay");
const PICTURE = 90_000;
/** Milliseconds that events wait for others: each message takes its time, in the page and in the runner. */
const GATHER = 500;
/** Milliseconds after which a page is looked at that has not ended loading. */
const PATIENCE = 1500;
/** With which an action begins. */
const ACTS = ["keydown", "pointerdown", "input"];

let events = [];
let due = false;
let begun = null;

function flush() {
  due = false;
  if (!events.length) return;
  const text = `[${events.join(",")}]`;
  events = [];
  tell(text);
}

function keep(event) {
  events.push(stringify(event));
  if (due) return;
  due = true;
  setTimeout(flush, GATHER);
}

function begin() {
  begun ??= import("./replay/recorder.js").then(
    guarded(({ recordInto }) => {
      recordInto(keep, PICTURE, "DOMContentLoaded");
      flush();
    }),
  );
  return begun;
}

guarded(() => {
  // The browser's own page about an error has nothing to show.
  if (globalThis.top !== globalThis || !tell || globalThis.location.protocol === "chrome-error:") return;
  addEventListener("load", () => whenIdle(begin));
  // A journey may act sooner than the page is idle, and be gone with its first click: then the picture is taken while that is answered.
  for (const type of ACTS) addEventListener(type, () => setTimeout(begin, 0), { capture: true, once: true, passive: true });
  setTimeout(begin, PATIENCE);
  // At `pagehide` it can be too late: what the page says then is not always heard.
  for (const type of ["beforeunload", "pagehide"]) addEventListener(type, flush);
  // A page that was never done is seen as it was at the end.
  globalThis.__journeyReplayFlush = guarded(() => begin().then(flush));
})();
