// Marks and measures that the site sets itself (W3C User Timing).
import { absolute } from "../clock.js";
import { observe } from "../observe.js";

const KEPT = 200;
const timings = [];

export function watchUserTiming() {
  const note = (entry) => {
    if (timings.length < KEPT) {
      timings[timings.length] = {
        kind: entry.entryType,
        name: entry.name,
        at: absolute(entry.startTime),
        duration: entry.duration,
      };
    }
  };
  const flushMarks = observe("mark", note);
  const flushMeasures = observe("measure", note);
  return () => {
    flushMarks();
    flushMeasures();
  };
}

export const userTimings = () => timings;
