// The agent for the pages of real users: `/agent.js` of the collector. docs/real-users.md says how it is embedded and what it
// collects. Everything that the browser calls is guarded (natives.js): nothing here may throw into the page, nor slow it.
import { addEventListener, guarded, listen, performance, removeEventListener, setTimeout, whenIdle } from "./natives.js";
import { navigationEntry } from "./navigationEntry.js";
import { api } from "./visitor/api.js";
import { watchErrors } from "./visitor/errors.js";
import { watchInteractions } from "./visitor/interactions.js";
import { isVisible } from "./visitor/natives.js";
import { loadParts } from "./visitor/parts.js";
import { watchRequests } from "./visitor/requests.js";
import { watchRoutes } from "./visitor/routes.js";
import { flush, sendWithin } from "./visitor/sending.js";
import { app, warn } from "./visitor/settings.js";
import { sendKept } from "./visitor/unsent.js";
import { begin, end, look, onNews, touch, use, viewAt } from "./visitor/views.js";
import { watchVitals } from "./visitor/vitals.js";

/** Milliseconds after the load event, so that what is sent again does not hold up the page. */
const LATER = 2_000;
const { journeyUser: given } = globalThis;

function firstView() {
  const { type = "navigate", activationStart: shown = 0 } = navigationEntry() ?? {};
  // The agent may come when the page has been brought to the front already.
  const [first] = performance.getEntriesByType("visibility-state");
  const hidden = first && !shown ? first.name !== "visible" : !isVisible();
  begin(shown ? "prerender" : document.wasDiscarded ? "restore" : type, shown, performance.timeOrigin + shown, hidden, true);
}

const nothing = () => {};

function start() {
  const { early } = given ?? {};
  onNews(sendWithin);
  firstView();
  // Each on its own: a browser that lacks one can have the others. The largest can wait: the browser has recorded what it watches.
  for (const watch of [watchErrors, watchInteractions, watchRoutes, watchRequests]) guarded(watch)(early);
  whenIdle(watchVitals);

  // On the document: web-vitals, which listens on the window, has given its last values by then.
  listen(document, "visibilitychange", () => {
    look();
    if (isVisible()) use();
    else flush();
  });
  addEventListener("pagehide", () => {
    end();
    // A page that is visible is called hidden next (HTML Standard, "unload a document"): then it is sent, once.
    if (!isVisible()) flush();
  });
  addEventListener("online", sendKept);
  const loaded = () => {
    removeEventListener("beforeunload", nothing);
    setTimeout(sendKept, LATER);
    // What was reported before the end of loading lacks how long that took.
    const view = viewAt(0);
    if (view) touch(view);
    loadParts();
  };
  if (document.readyState === "complete") return loaded();
  addEventListener("load", loaded);
  // Chromium closes a tab that still loads without a word, unless somebody listens to this.
  addEventListener("beforeunload", nothing);
}

guarded(() => {
  // A second copy, and a page inside a page, have nothing of their own to tell.
  if (given?.reportError || globalThis.top !== globalThis) return;
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(app ?? "")) {
    warn(`data-app "${app}" is not valid`);
    return;
  }
  api.beforeSend = given?.beforeSend;
  globalThis.journeyUser = api;
  if (document.prerendering) listen(document, "prerenderingchange", start);
  else start();
})();
