// The page views of this document: the one that is going on, and the last ones before it, of which something may still come.
import { performance } from "../natives.js";
import { clean } from "./address.js";
import { uuid } from "./identity.js";
import { loading } from "./loading.js";
import { bytes, isVisible, stringify, wallClock } from "./natives.js";
import { sampled, session } from "./session.js";
import { discreet, titles } from "./settings.js";
import { compact, cut, seconds } from "./shape.js";
import { askStep } from "./synthetic.js";

const KEPT = 10;
/** Milliseconds until what is new is sent, if the page is not left before. */
const PATIENCE = 30_000;
/** Bytes of news that may wait: with the rest of it, a beacon must have less than 60,000. */
const MOST = 50_000;
/** Of each kind, of a view, in one beacon. */
const LISTED = 50;

export const views = [];
let current = null;
let waiting = 0;
let send = () => {};

/** `ask(milliseconds)` is called when something is to be sent by then. */
export const onNews = (ask) => {
  send = ask;
};

/** Begins a page view `at`, in milliseconds from the start of the document; `loaded` is for the view that loaded it. */
export function begin(type, at, startedAt = wallClock(), hidden = !isVisible(), loaded = false) {
  const last = current;
  if (last) {
    look(at);
    last.ended = true;
  }
  const view = { id: uuid(), type, at, startedAt, hidden, loaded, session: session(), url: clean(location.href) };
  view.referrer = discreet ? "" : type === "soft" ? last.url : loaded && clean(document.referrer);
  // `trace.js` is asked for each view, whether it is reported or not: it decides again.
  view.trace = globalThis.journeyUserTrace?.();
  view.seen = 0;
  view.seenFrom = isVisible() ? at : null;
  forget(view);
  current = view;
  view.quiet = !sampled(view.session);
  if (view.quiet) return;
  views[views.length] = view;
  if (views.length > KEPT) {
    send(0);
    views.splice(0, 1);
  }
  askStep(startedAt, (step) => {
    view.step = step;
  });
  touch(view);
}

/** Counts the time for which the current view has been looked at. */
export function look(at = performance.now()) {
  if (current.seenFrom !== null) current.seen += Math.max(at - current.seenFrom, 0);
  current.seenFrom = isVisible() ? at : null;
}

/** Nothing more is to come of any view, after what is there now. */
export function end() {
  for (const view of views) view.ended = true;
}

/** The visitor does something: if their visit had ended, another begins, and with it a view of the same page. */
export function use(at = performance.now()) {
  if (!discreet && session() !== current.session) begin("restore", at);
}

/** The current view. */
export const viewNow = () => current;

/** The view during which something happened that is to be reported; null when its visit is not. */
export function viewAt(at) {
  if (current.quiet && at >= current.at) return null;
  for (let i = views.length - 1; i >= 0; i--) if (views[i].at <= at) return views[i];
  return views[0] ?? null;
}

function forget(view) {
  view.fresh = false;
  view.vitals = {};
  view.interactions = [];
  view.counts = {};
  view.requests = [];
  view.errors = [];
  view.known = {};
}

/** Says that there is something new of a view, which can wait for so many milliseconds. */
export function touch(view, patience = PATIENCE) {
  view.fresh = true;
  send(patience);
}

/** Adds to a list of a view, as long as it is not too long. */
export function add(view, list, item, patience) {
  if (view[list].length >= LISTED) return;
  const size = bytes(stringify(item));
  if (waiting + size > MOST) send(0);
  waiting += size;
  view[list][view[list].length] = item;
  touch(view, patience);
}

/** The news of all views, as beacons tell them, each with the visit and the step that it belongs to. */
export function takeNews() {
  const news = [];
  look();
  waiting = 0;
  for (const view of views) {
    if (!view.fresh) continue;
    const load = view.loaded ? loading() : {};
    if (load.phases?.ttfb >= 0) view.vitals.ttfb = { name: "ttfb", id: view.id, value: load.phases.ttfb };
    const told = compact({
      ...load,
      id: view.id,
      url: view.url,
      started_at: Math.round(view.startedAt * 1e3) / 1e6,
      type: view.type === "navigate" ? "" : view.type,
      referrer: view.referrer,
      trace: view.trace,
      title: titles && !discreet && view === current && cut(document.title, 200),
      hidden: view.hidden,
      ended: view.ended,
      vitals: Object.values(view.vitals),
      interactions: view.interactions,
      interaction_counts: view.counts,
      errors: view.errors,
      requests: view.requests,
    });
    told.visible_seconds = seconds(view.seen);
    news[news.length] = { session: view.session, step: view.step, view: told };
    forget(view);
  }
  return news;
}
