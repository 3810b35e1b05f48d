// Long tasks (W3C Long Tasks API) and long animation frames (W3C Long Animation Frames API): 50 ms and more.
import { absolute } from "../clock.js";
import { observe } from "../observe.js";

const LONG = 50;
const KEPT = 200;
const tasks = [];

const note = (kind, entry, blocking) => {
  if (tasks.length < KEPT) tasks[tasks.length] = { kind, at: absolute(entry.startTime), duration: entry.duration, blocking };
};

export function watchLongTasks() {
  const flushTasks = observe("longtask", (entry) => note("long-task", entry, Math.max(0, entry.duration - LONG)));
  const flushFrames = observe("long-animation-frame", (entry) =>
    note("long-animation-frame", entry, entry.blockingDuration),
  );
  return () => {
    flushTasks();
    flushFrames();
  };
}

export const longTasks = () => tasks;
