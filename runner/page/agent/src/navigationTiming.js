// Navigation Timing Level 2 of this document, as the browser gives it: milliseconds from its start, 0 = has not happened.
import { effect } from "./effects.js";
import { absolute } from "./clock.js";
import { performance } from "./natives.js";

const FIELDS = [
  "redirectStart", "redirectEnd", "fetchStart", "domainLookupStart", "domainLookupEnd", "connectStart",
  "secureConnectionStart", "connectEnd", "requestStart", "responseStart", "responseEnd", "domInteractive",
  "domContentLoadedEventEnd", "domComplete", "loadEventStart", "loadEventEnd", "redirectCount", "transferSize",
  "decodedBodySize", "responseStatus", "name", "type", "nextHopProtocol",
];

/** Notes the end of the load event as an effect, once it has happened; in frames too. */
export function noteLoad() {
  const entry = performance.getEntriesByType("navigation")[0];
  if (entry && !loadNoted && entry.loadEventEnd > 0) {
    loadNoted = true;
    effect("load", absolute(entry.loadEventEnd));
  }
}

let loadNoted = false;

export function navigationTiming() {
  const entry = performance.getEntriesByType("navigation")[0];
  if (!entry) return null;
  const timing = { serverTiming: [] };
  for (let i = 0; i < FIELDS.length; i++) timing[FIELDS[i]] = entry[FIELDS[i]];
  const server = entry.serverTiming;
  for (let i = 0; i < server.length; i++) {
    timing.serverTiming[i] = { name: server[i].name, duration: server[i].duration, description: server[i].description };
  }
  return timing;
}
