// The browser's entry of Navigation Timing Level 2 for this document: milliseconds from its start, 0 = has not happened.
import { performance } from "./natives.js";

export const navigationEntry = () => performance.getEntriesByType("navigation")[0];
