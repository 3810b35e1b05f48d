// Uncaught errors, rejected promises that nobody took care of, and resources that could not be loaded.
import { addEventListener, performance } from "../natives.js";
import { clean, cleanText } from "./address.js";
import { compact, cut, seconds } from "./shape.js";
import { add, touch, viewAt } from "./views.js";

/** Milliseconds within which an error is sent that is new. */
const SOON = 5_000;
/** Different errors of one document; those that come after are not reported. */
const MOST = 100;
const seen = new Set();

/** A line or a column, as large as a beacon may tell. */
const place = (number) => Math.min(number, 1e6) || 0;

function note(at, kind, what, event = {}) {
  const view = viewAt(at);
  if (!view) return;
  // Anything can be thrown.
  const message = cleanText(what?.message ?? (what == null ? event.message : what), 1_000) || "no message";
  const source = clean(event.filename);
  const key = [kind, message, source, event.lineno, event.colno].join();
  const known = view.known[key];
  if (known) {
    known.count = (known.count ?? 1) + 1;
    touch(view);
  } else if (seen.has(key) || seen.size < MOST) {
    const error = compact({
      kind,
      message,
      at_seconds: seconds(at - view.at),
      type: cut(what?.name, 100),
      stack: cleanText(what?.stack, 3_000),
      source,
      line: place(event.lineno),
      column: place(event.colno),
    });
    add(view, "errors", error, seen.has(key) ? undefined : SOON);
    view.known[key] = error;
    seen.add(key);
  }
}

export const reported = (what) => note(performance.now(), "reported", what);

/** A resource of the document that could not be loaded. */
export const missed = (at, what, address, why) => note(at, "resource", `${what} ${why}`, { filename: address });

function happened(event) {
  const { type, target, timeStamp: at } = event;
  const address = target?.currentSrc || target?.src || target?.href;
  if (type !== "error") note(at, "unhandled-rejection", event.reason);
  else if (event.message != null) note(at, "error", event.error, event);
  else if (typeof address === "string") missed(at, target.localName, address, "could not be loaded");
}

/** `early` are the events of before, where the site has collected them. */
export function watchErrors(early) {
  for (const event of early ?? []) happened(event);
  addEventListener("error", happened, true);
  addEventListener("unhandledrejection", happened, true);
}
