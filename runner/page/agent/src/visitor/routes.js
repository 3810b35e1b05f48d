// Page views without a document of their own: routes of a single-page app, and pages that come back from the back/forward cache.
import { addEventListener, listen, performance } from "../natives.js";
import { clean } from "./address.js";
import { overhear } from "./natives.js";
import { begin, viewNow } from "./views.js";

function changed() {
  // Another route is another path: queries and fragments are not reported, unless a key is allowed.
  if (clean(location.href) !== viewNow().url) begin("soft", performance.now());
}

export function watchRoutes() {
  const { navigation } = globalThis;
  if (navigation?.addEventListener) {
    listen(navigation, "currententrychange", changed);
  } else {
    overhear(history, "pushState", changed);
    overhear(history, "replaceState", changed);
    addEventListener("popstate", changed);
  }
  addEventListener("pageshow", (event) => {
    // It was asked for: that it may still be called hidden at this moment says nothing.
    if (event.persisted) begin("bfcache", event.timeStamp, undefined, false);
  });
}
