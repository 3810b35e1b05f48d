// Headers on the page's own fetch and XMLHttpRequest, for the trace of a real user's page view (trace.js) and of a journey's run
// (journeyTrace.js). The natives stay: what a page sees is a proxy of each, which answers as they do.
const { Array, crypto, fetch, Headers, Object, Reflect, Request, String, Uint8Array, WeakMap } = globalThis;
const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
export const HEADER = "traceparent";

/** A random number of so many bytes. */
export const hex = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");

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

/** From now on requests to addresses of which `goes` is true have what `list` returns: names and values of headers, traceparent first. */
export function addHeaders(goes, list) {
  const add = (headers) => {
    if (!headers.has(HEADER)) for (const [name, value] of list()) headers.has(name) || headers.set(name, value);
  };
  /** The arguments of `fetch` with the headers, or as they were: where they must not go, and where they are unusual. */
  const traced = ([input, options]) => {
    if (input instanceof Request) {
      if (!goes(input.url) || (options?.mode ?? input.mode) === "no-cors") return;
      const request = new Request(input, options);
      add(request.headers);
      return [request];
    }
    // Options that inherit something may be anything, such as another request.
    if (!goes(input) || options?.mode === "no-cors" || (options && Object.getPrototypeOf(options) !== Object.prototype)) return;
    const headers = new Headers(options?.headers);
    add(headers);
    return [input, { ...options, headers }];
  };
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
    if (chosen.get(xhr)) for (const one of list()) Reflect.apply(setRequestHeader, xhr, one);
  });
}
