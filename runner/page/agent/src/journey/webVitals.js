// Web vitals by the `web-vitals` package: the newest value of each; seconds-to-be in milliseconds, CLS without a unit.
import { onCLS } from "web-vitals/onCLS.js";
import { onFCP } from "web-vitals/onFCP.js";
import { onINP } from "web-vitals/onINP.js";
import { onLCP } from "web-vitals/onLCP.js";
import { onTTFB } from "web-vitals/onTTFB.js";
import { absolute } from "../clock.js";
import { setTimeout } from "../natives.js";

const PATIENCE = 250;
const values = {};
let painted = () => {};
const complete = () => "fcp" in values && "lcp" in values;

/** Calls `changed` after each new value. */
export function watchVitals(changed) {
  const note = (metric) => {
    const entry = metric.entries[0];
    values[metric.name.toLowerCase()] = { value: metric.value, at: entry ? absolute(entry.startTime) : null };
    if (complete()) painted();
    changed();
  };
  const always = { reportAllChanges: true };
  onTTFB(note, always);
  onFCP(note, always);
  onLCP(note, always);
  onCLS(note, always);
  // Every interaction counts: with the default floor of 40 ms only slow pages would report.
  onINP(note, { reportAllChanges: true, durationThreshold: 16 });
}

export const vitals = () => values;
/** Resolves when the first paints have been reported, or after a while where none come (a hidden tab, an empty page). */
export const firstPaints = () =>
  new Promise((resolve) => {
    if (complete()) resolve();
    painted = resolve;
    setTimeout(resolve, PATIENCE);
  });
