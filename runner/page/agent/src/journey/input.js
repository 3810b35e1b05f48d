// The first trusted input events since the last reading: what a step did to the page.
import { absolute } from "../clock.js";
import { effect } from "./effects.js";
import { addEventListener } from "../natives.js";
import { timeOf } from "./natives.js";

// `input` and `beforeinput` are here because Playwright's fill() types without a key.
const ACTS = ["pointerdown", "mousedown", "touchstart", "keydown", "beforeinput", "input", "click", "wheel", "drop"];

let first = null;
let move = null;

/** Calls `told` at the first act after each `rearm`, while the document that got it still lives. */
export function watchInput(told) {
  const act = (event) => {
    if (!event.isTrusted) return;
    const at = absolute(timeOf(event));
    effect("input", at);
    if (first === null) {
      first = at;
      told(at);
    }
  };
  for (let i = 0; i < ACTS.length; i++) addEventListener(ACTS[i], act, { capture: true, passive: true });
  // Playwright moves the mouse before each click: a move is a cause only where nothing stronger came.
  const moved = (event) => {
    if (event.isTrusted && move === null) move = absolute(timeOf(event));
  };
  addEventListener("pointermove", moved, { capture: true, passive: true });
}

export const inputs = () => ({ first, move });
export function rearm() {
  first = move = null;
}
