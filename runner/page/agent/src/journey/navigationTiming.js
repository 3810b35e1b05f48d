// Navigation Timing Level 2 of this document, as the browser gives it: milliseconds from its start, 0 = has not happened.
import { navigationEntry } from "../navigationEntry.js";

const FIELDS = [
  "redirectStart", "redirectEnd", "domainLookupStart", "domainLookupEnd", "connectStart", "secureConnectionStart",
  "connectEnd", "requestStart", "responseStart", "responseEnd", "domComplete", "loadEventStart", "loadEventEnd",
  "redirectCount", "transferSize", "decodedBodySize", "responseStatus", "name", "type", "nextHopProtocol",
];

export function navigationTiming() {
  const entry = navigationEntry();
  if (!entry) return null;
  const timing = { serverTiming: [] };
  for (let i = 0; i < FIELDS.length; i++) timing[FIELDS[i]] = entry[FIELDS[i]];
  const server = entry.serverTiming;
  for (let i = 0; i < server.length; i++) {
    timing.serverTiming[i] = { name: server[i].name, duration: server[i].duration, description: server[i].description };
  }
  return timing;
}
