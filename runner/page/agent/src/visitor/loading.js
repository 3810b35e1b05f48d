// How the document was loaded: the phases of W3C Navigation Timing Level 2, section 4, as spans, reported until they are complete.
// The same as `runner/page/step_findings.py` makes of a journey's documents.
import { navigationEntry } from "../navigationEntry.js";
import { cut, seconds } from "./shape.js";

let complete = false;

export function loading() {
  const entry = complete ? null : navigationEntry();
  if (!entry) return {};
  complete = entry.loadEventEnd > 0;
  const { secureConnectionStart: tls, connectEnd, responseStart, responseEnd, loadEventEnd, activationStart: shown = 0 } = entry;
  const phases = {};
  const phase = (name, start, end, mayBeNothing) => {
    if (end > 0 || mayBeNothing) phases[name] = seconds(end - start);
  };
  phase("redirect", entry.redirectStart, entry.redirectEnd, true);
  phase("dns", entry.domainLookupStart, entry.domainLookupEnd, true);
  phase("connect", entry.connectStart, tls || connectEnd, true);
  phase("tls", tls, tls && connectEnd, true);
  phase("request", entry.requestStart, responseStart);
  phase("response", responseStart, responseEnd);
  phase("dom", responseEnd, entry.domComplete);
  phase("load", entry.loadEventStart, loadEventEnd);
  // Of a page that was loaded before it was wanted, a user waits for what was left.
  phase("ttfb", shown, responseStart);
  phase("total", shown, loadEventEnd);
  return {
    phases,
    status: entry.responseStatus,
    protocol: cut(entry.nextHopProtocol, 20),
    transfer_bytes: entry.transferSize,
  };
}
