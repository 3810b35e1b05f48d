// Time as one line for all documents, tabs and frames: milliseconds since the epoch, by the monotonic clock.
import { performance } from "./natives.js";

export const origin = performance.timeOrigin;
export const now = () => origin + performance.now();
/** A time counted from this document's start, as entries and events give it, on the common line. */
export const absolute = (time) => origin + time;
