// Web vitals by the `web-vitals` package, each reported under the view that it belongs to. Time to first byte is among the phases.
import { onCLS } from "web-vitals/onCLS.js";
import { onFCP } from "web-vitals/onFCP.js";
import { onINP } from "web-vitals/onINP.js";
import { onLCP } from "web-vitals/onLCP.js";
import { clean } from "./address.js";
import { attribution, watchFrames } from "./attribution.js";
import { compact, seconds } from "./shape.js";
import { touch, views } from "./views.js";

/** Milliseconds. A soft navigation has the start of its interaction; the address changes only later. */
const SKEW = 10;

const TYPES = { "soft-navigation": "soft", "back-forward-cache": "bfcache" };

function viewOf({ navigationType, navigationStartTime, navigationURL }) {
  const type = TYPES[navigationType];
  const soft = type === "soft" && clean(navigationURL);
  return views.find((view) =>
    type ? view.type === type && view.at >= navigationStartTime - SKEW && (!soft || view.url === soft) : view.loaded,
  );
}

function note(metric) {
  const view = viewOf(metric);
  if (!view) return;
  const name = metric.name.toLowerCase();
  view.vitals[name] = {
    ...compact({ name, id: metric.id, attribution: attribution(name, metric, metric.navigationStartTime || view.at) }),
    value: name === "cls" ? metric.value : seconds(metric.value),
  };
  touch(view);
}

export function watchVitals() {
  watchFrames();
  // All changes: a page that stays open for hours tells what it has, and later again under the same id.
  const options = { reportAllChanges: true, reportSoftNavs: true };
  onFCP(note, options);
  onLCP(note, options);
  onCLS(note, options);
  onINP(note, options);
}
