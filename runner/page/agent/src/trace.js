// `/trace.js` of the collector: puts `traceparent` (W3C Trace Context) on the page's own fetch and XMLHttpRequest, so that the backend's
// spans have one trace per page view. docs/opentelemetry.md describes it. It comes before the site's scripts, as the only part of the
// agent that has to: `agent.js` asks it for the trace of each page view.
const { script, data } = (({ currentScript: script }) => ({ script, data: script?.dataset ?? {} }))(document);
const { crypto, fetch, Headers, Object, Reflect, Request, Set, URL, Uint8Array, WeakMap } = globalThis;
const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
const HEADER = "traceparent";
const SAMPLE = 0.1;

/** The page's own origin and those that the site has listed. To any other, a header of ours would mean a preflight. */
const origins = new Set([location.origin]);
let sample = +(data.sample ?? SAMPLE);
let value = "";

const hex = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Decides about a page view: returns the id of its trace, or nothing. Its requests are all traced, or none is. */
function decide() {
  const drawn = crypto.getRandomValues(new Uint8Array(4)).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32;
  const id = drawn < sample ? hex(16) : "";
  value = id && `00-${id}-${hex(8)}-01`;
  return id;
}

function goes(address) {
  const { protocol, origin } = new URL(address, document.baseURI);
  return /^https?:$/.test(protocol) && origins.has(origin);
}

/** The arguments of `fetch` with the header, or as they were: where it must not go, where the site has set one, and where they are unusual. */
function traced(args) {
  const [input, options] = args;
  if (!value) return args;
  if (input instanceof Request) {
    if (!goes(input.url) || (options?.mode ?? input.mode) === "no-cors") return args;
    const request = new Request(...args);
    if (!request.headers.has(HEADER)) request.headers.set(HEADER, value);
    return [request];
  }
  // Options that inherit something may be anything, such as another request.
  if (!goes(input) || (options && Object.getPrototypeOf(options) !== Object.prototype)) return args;
  const given = { ...options };
  const headers = new Headers(given.headers);
  if (given.mode === "no-cors" || headers.has(HEADER)) return args;
  headers.set(HEADER, value);
  return [input, { ...given, headers }];
}

/** Calls `before` with the object and the arguments; what it returns takes their place, and what it throws is nothing to the page. */
const prepared = (native, before) =>
  new Proxy(native, {
    apply(target, self, args) {
      let wanted = args;
      try {
        wanted = before(self, args) ?? args;
      } catch {
        // The browser says itself what is wrong with the arguments.
      }
      return Reflect.apply(target, self, wanted);
    },
  });

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
  globalThis.fetch = prepared(fetch, (_, args) => traced(args));
  const chosen = new WeakMap();
  const { prototype } = XMLHttpRequest;
  prototype.open = prepared(open, (xhr, [, address]) => {
    chosen.set(xhr, goes(address));
  });
  prototype.setRequestHeader = prepared(setRequestHeader, (xhr, [name]) => {
    if (String(name).toLowerCase() === HEADER) chosen.set(xhr, false);
  });
  prototype.send = prepared(send, (xhr) => {
    if (value && chosen.get(xhr)) Reflect.apply(setRequestHeader, xhr, [HEADER, value]);
  });
}

// A second copy has nothing to do, the page views of a page inside a page are not reported, and requests of a journey belong to its steps.
if (script && !globalThis.journeyUserTrace && !globalThis.__journeySynthetic && globalThis.top === globalThis) start();
