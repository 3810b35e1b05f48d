// Records what a journey's page shows, for a player: an init script, as the policy `replay` says. What is recorded goes to the
// runner in pieces, through a binding; runner/artifacts/replay.py takes it.
import { addEventListener, guarded, setTimeout, stringify } from "./natives.js";
import { recordInto } from "./replay/recorder.js";

const { __journeyReplay: tell } = globalThis;
const PICTURE = 90_000;
/** Milliseconds that events wait for others: each message takes its time, in the page and in the runner. */
const GATHER = 500;

let events = [];
let due = false;

function flush() {
  due = false;
  if (!events.length) return;
  const text = `[${events.join(",")}]`;
  events = [];
  tell(text);
}

guarded(() => {
  if (globalThis.top !== globalThis || !tell) return;
  recordInto((event) => {
    events.push(stringify(event));
    if (due) return;
    due = true;
    setTimeout(flush, GATHER);
  }, PICTURE, "DOMContentLoaded");
  addEventListener("pagehide", flush);
  globalThis.__journeyReplayFlush = guarded(flush);
})();
