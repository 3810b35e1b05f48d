// `/trace.js` of the collector: puts `traceparent` (W3C Trace Context) on the page's own fetch and XMLHttpRequest, so that the backend's
// spans have one trace per page view. docs/opentelemetry.md describes it. It comes before the site's scripts, as the only part of the
// agent that has to: `agent.js` asks it for the trace of each page view.
import { addHeaders, HEADER, hex } from "./traceHeaders.js";

const { script, data } = (({ currentScript: script }) => ({ script, data: script?.dataset ?? {} }))(document);
const { crypto, Object, Set, URL, Uint8Array } = globalThis;
const SAMPLE = 0.1;

/** The page's own origin and those that the site has listed. To any other, a header of ours would mean a preflight. */
const origins = new Set([location.origin]);
let sample = +(data.sample ?? SAMPLE);
let value = "";

/** Decides about a page view: returns the id of its trace, or nothing. Its requests are all traced, or none is. */
function decide() {
  const drawn = crypto.getRandomValues(new Uint8Array(4)).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32;
  const id = drawn < sample ? hex(16) : "";
  value = id && `00-${id}-${hex(8)}-01`;
  return id;
}

function goes(address) {
  const { protocol, origin } = new URL(address, document.baseURI);
  return value && /^https?:$/.test(protocol) && origins.has(origin);
}

function start() {
  for (const one of (data.origins ?? "").split(/[\s,]+/)) if (one) origins.add(new URL(one).origin);
  if (!(sample >= 0 && sample <= 1)) {
    console.warn(`journey trace: data-sample "${data.sample}" is not between 0 and 1`);
    sample = SAMPLE;
  }
  let first = decide();
  Object.defineProperty(globalThis, "journeyUserTrace", {
    value() {
      // The first page view is the one whose requests may have begun already.
      const id = first ?? decide();
      first = undefined;
      return id;
    },
  });
  addHeaders(goes, () => (value ? [[HEADER, value]] : []));
}

// A second copy has nothing to do, the page views of a page inside a page are not reported, and requests of a journey belong to its steps.
if (script && !globalThis.journeyUserTrace && !globalThis.__journeySynthetic && globalThis.top === globalThis) start();
