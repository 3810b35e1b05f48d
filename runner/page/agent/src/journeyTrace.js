// Puts `traceparent` on what a journey's pages ask for by fetch and XMLHttpRequest, each with the id of a span of its own, which the
// runner reads from the request (see trace_headers.py). `journeyTrace` is in the block around this script; the page does not see it.
import { addHeaders, HEADER, hex } from "./traceHeaders.js";

/* global journeyTrace */
const { document, URL } = globalThis;
const { trace, origins, others } = journeyTrace;

/** Whether an address is one of the listed origins; `*.` stands for any subdomain. As in trace_headers.cjs. */
function goes(address) {
  const { protocol, host } = new URL(address, document.baseURI);
  for (const origin of origins) {
    const [scheme, domain] = origin.split("://*.");
    if (domain ? protocol === `${scheme}:` && host.endsWith(`.${domain}`) : `${protocol}//${host}` === origin) return true;
  }
  return false;
}

addHeaders(goes, () => [[HEADER, `00-${trace}-${hex(8)}-01`], ...others]);
