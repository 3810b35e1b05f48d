// The first trusted input events since the last reading: what a step did to the page.
import { absolute } from "../clock.js";
import { acted } from "./checks.js";
import { effect } from "./effects.js";
import { addEventListener } from "../natives.js";
import { timeOf } from "./natives.js";

// `input` and `beforeinput` are here because Playwright's fill() types without a key.
const ACTS = ["pointerdown", "mousedown", "touchstart", "keydown", "beforeinput", "input", "click", "wheel", "drop"];

/** Milliseconds within which events follow each other that are one act: press, release and click; key and text. */
const ONE_ACT = 50;

let first = null;
let newest = -Infinity;
let move = null;
let waited = null;

/** Calls `told` at the first act after each `rearm`, while the document that got it still lives. */
export function watchInput(told) {
  const act = (event) => {
    if (!event.isTrusted) return;
    const at = absolute(timeOf(event));
    // An act that nothing follows has had no effect that is seen here: it ends no step (clock.py).
    if (at - newest > ONE_ACT) effect("input", at);
    newest = at;
    const since = acted();
    if (first === null) {
      first = at;
      waited = since;
      told(inputs());
    }
  };
  for (let i = 0; i < ACTS.length; i++) addEventListener(ACTS[i], act, { capture: true, passive: true });
  // Playwright moves the mouse before each click: a move is a cause only where nothing stronger came.
  const moved = (event) => {
    if (event.isTrusted && move === null) move = absolute(timeOf(event));
  };
  addEventListener("pointermove", moved, { capture: true, passive: true });
}

/** `waited`: since when checks had failed before the first act. */
export const inputs = () => ({ first, move, waited });
export function rearm() {
  first = move = waited = null;
}
