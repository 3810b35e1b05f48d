// Requests of the page's scripts that failed or took long: reported by the call, since an answer that nobody reads to its end gets no
// entry of Resource Timing; and by that entry, where the body was what took long, or the agent came later than the request.
import { guarded, listen, performance } from "../natives.js";
import { observe } from "../observe.js";
import { clean } from "./address.js";
import { missed } from "./errors.js";
import { overhear, URL } from "./natives.js";
import { endpoint, slow } from "./settings.js";
import { compact, cut, seconds } from "./shape.js";
import { add, viewAt } from "./views.js";

const KINDS = { fetch: "fetch", xmlhttprequest: "xhr" };
const UNAWAITED = /^(beacon|ping|navigation|other)$/;
const REMEMBERED = 50;
const calls = [];
// Some entries of Resource Timing have the fragment, some have not.
const bare = (address) => address.split("#")[0];

/** Remembers a call; returns what is to be called at its end. */
function called(kind, address, method) {
  const call = { kind, url: bare(new URL(address, document.baseURI).href), method, at: performance.now() };
  calls[calls.length] = call;
  if (calls.length > REMEMBERED) calls.splice(0, 1);
  return guarded((status, failure) => tell(call, call.at, performance.now() - call.at, status, failure));
}

/** Reports a request once, if it is worth it. */
function tell(call, at, duration, status, failure) {
  const view = viewAt(at);
  if (!view || call.told || call.url === endpoint || !(failure || status >= 400 || duration >= slow)) return;
  call.told = true;
  const method = cut(call.method, 20).toUpperCase();
  const request = {
    url: clean(call.url),
    method: method !== "GET" && method,
    kind: call.kind,
    at_seconds: seconds(at - view.at),
    duration_seconds: seconds(duration),
    status,
    failure,
  };
  add(view, "requests", compact(request));
}

/** Milliseconds. The call is noted when the browser has taken it, and so may have begun the request. */
const SKEW = 100;

/** The call that led to an entry: the last one of its address before it. */
function callOf({ name, startTime }) {
  for (let i = calls.length - 1; i >= 0; i--) {
    if (calls[i].url === bare(name) && calls[i].at <= startTime + SKEW) return calls.splice(i, 1)[0];
  }
}

/** `early` are the errors of before that the site has collected, if it did. */
export function watchRequests(early) {
  const began = performance.now();
  overhear(globalThis, "fetch", ([input, options], _, answer) => {
    const end = called("fetch", input.url ?? input, options?.method ?? input.method ?? "GET");
    const signal = options?.signal ?? input.signal;
    return answer.then(
      (response) => {
        end(response.status);
        return response;
      },
      (error) => {
        // What the page gave up itself did not fail.
        end(0, signal?.aborted ? signal.reason?.name === "TimeoutError" && "timeout" : "network error");
        throw error;
      },
    );
  });
  overhear(XMLHttpRequest.prototype, "open", ([method, address], xhr) => {
    const end = called("xhr", address, method);
    const ended = ({ type }) => end(xhr.status, { error: "network error", timeout: "timeout" }[type]);
    for (const type of ["load", "error", "timeout", "abort"]) listen(xhr, type, ended);
  });
  observe("resource", (entry) => {
    const { name, startTime, duration, initiatorType, responseStatus: status } = entry;
    const kind = KINDS[initiatorType];
    if (kind) tell(callOf(entry) ?? { kind, method: "GET", url: bare(name) }, startTime, duration, status);
    // An event has reported it, unless it came before anybody listened. Firefox has an entry, `other`, for the icon of a page.
    else if (!early && status >= 400 && entry.responseEnd < began && !UNAWAITED.test(initiatorType)) {
      missed(startTime, initiatorType, name, `answered ${status}`);
    }
  });
}
