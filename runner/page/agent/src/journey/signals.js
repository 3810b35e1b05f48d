// What the agent collects of a document beside the page clock, one row a signal; runner/page/signals.py has the other half.
// `watch` starts to collect, and returns a function that takes in what the browser still holds back; `read` returns what there is
// by now, as plain data with times in milliseconds since the epoch. Both are bounded: a page that never rests must not grow.
import { longTasks, watchLongTasks } from "./longTasks.js";
import { userTimings, watchUserTiming } from "./userTiming.js";

export const SIGNALS = [
  { name: "userTimings", watch: watchUserTiming, read: userTimings },
  { name: "longTasks", watch: watchLongTasks, read: longTasks },
];

export function readSignals() {
  const values = {};
  for (let i = 0; i < SIGNALS.length; i++) values[SIGNALS[i].name] = SIGNALS[i].read();
  return values;
}
