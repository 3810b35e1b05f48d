// Frames that took long to draw. The frame after a change of the document counts as a paint that the user waited for if its
// rendering (animation callbacks, style, layout, paint) took 50 ms or more; a shorter one is noise of the frame clock.
// The browser's own long-animation-frame entries come too late: a step may be over before they are delivered.
import { absolute, now } from "../clock.js";
import { effect } from "./effects.js";
import { requestAnimationFrame } from "../natives.js";
import { inNextTask } from "./natives.js";

const LONG = 50;
/** When the newest frames after changes were drawn; a bounded ring. */
const FRAMES = 64;
const frames = new Array(FRAMES);
let next = 0;

/** When a change of the moment `at` was drawn, if nobody could see it for 50 ms: drawing it, or the script that made it, took so long. */
export function drawnAt(at) {
  let first = null;
  for (let i = 0; i < FRAMES; i++) {
    const end = frames[i];
    if (end >= at && (first === null || end < first)) first = end;
  }
  return first !== null && first - at >= LONG ? first : null;
}

/** Returns a function to be called at each change of the document. */
export function watchPaint() {
  let expected = false;
  let began = 0;
  let loaded = false;
  const drawn = inNextTask(() => {
    expected = false;
    const end = now();
    frames[next] = end;
    next = (next + 1) % FRAMES;
    // While a document loads, its load event is the end; its first paints are among the vitals.
    if (loaded && end - began >= LONG) effect("paint", end);
  });
  const draw = (frame) => {
    // The frame's own time: the site's animation callbacks may have run before this one.
    began = absolute(frame);
    drawn();
  };
  return () => {
    if (expected) return;
    expected = true;
    loaded = document.readyState === "complete";
    requestAnimationFrame(draw);
  };
}
