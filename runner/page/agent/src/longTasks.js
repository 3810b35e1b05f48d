// Long tasks (W3C Long Tasks) and long animation frames. A frame whose own rendering (style, layout, paint) took 50 ms or
// more ends with a paint that the user waited for; a shorter one is noise of the frame clock and no effect.
import { absolute } from "./clock.js";
import { relativeEffect } from "./effects.js";
import { observe } from "./observe.js";

const LONG = 50;
const KEPT = 200;
const tasks = [];

const note = (kind, entry, blocking) => {
  if (tasks.length < KEPT) tasks[tasks.length] = { kind, at: absolute(entry.startTime), duration: entry.duration, blocking };
};

export function watchLongTasks() {
  const flushTasks = observe("longtask", (entry) => note("long-task", entry, Math.max(0, entry.duration - LONG)));
  const flushFrames = observe("long-animation-frame", (entry) => {
    note("long-animation-frame", entry, entry.blockingDuration);
    const end = entry.startTime + entry.duration;
    if (entry.renderStart > 0 && end - entry.renderStart >= LONG) relativeEffect("paint", end);
  });
  return () => {
    flushTasks();
    flushFrames();
  };
}

export const longTasks = () => tasks;
