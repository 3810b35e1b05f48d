// Frames that took long to draw. The frame after a change of the document counts as a paint that the user waited for if its
// rendering (animation callbacks, style, layout, paint) took 50 ms or more; a shorter one is noise of the frame clock.
// The browser's own long-animation-frame entries come too late: a step may be over before they are delivered.
import { absolute, now } from "../clock.js";
import { effect } from "./effects.js";
import { requestAnimationFrame } from "../natives.js";
import { inNextTask } from "./natives.js";

const LONG = 50;

/** Returns a function to be called at each change of the document. */
export function watchPaint() {
  let expected = false;
  let began = 0;
  const drawn = inNextTask(() => {
    expected = false;
    const end = now();
    if (end - began >= LONG) effect("paint", end);
  });
  const draw = (frame) => {
    // The frame's own time: the site's animation callbacks may have run before this one.
    began = absolute(frame);
    drawn();
  };
  return () => {
    // While a document loads, its load event is the end; its first paints are among the vitals.
    if (expected || document.readyState !== "complete") return;
    expected = true;
    requestAnimationFrame(draw);
  };
}
