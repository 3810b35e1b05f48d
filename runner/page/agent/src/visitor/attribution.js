// What a web vital came from: the element, the address, the script, the parts of the time. The package's own attribution does
// more, and is as large as all the rest of this agent.
import { navigationEntry } from "../navigationEntry.js";
import { performance } from "../natives.js";
import { observe } from "../observe.js";
import { clean } from "./address.js";
import { compact, cut, seconds } from "./shape.js";

const LONGEST = 200;
const KEPT = 50;

/** A function that gives the last entries of a type. */
function recent(type, options) {
  const entries = [];
  const flush = observe(
    type,
    (entry) => {
      entries[entries.length] = entry;
      if (entries.length > KEPT) entries.splice(0, 1);
    },
    options,
  );
  return () => {
    flush();
    return entries;
  };
}

let frames;
let events;
export function watchFrames() {
  frames = recent("long-animation-frame");
  events = recent("event", { durationThreshold: 40 });
}

/** A selector of an element: ids, names of tags, classes. */
export function selector(node) {
  let text = "";
  for (let one = node; one?.localName && !text.includes("#"); one = one.parentNode) {
    // Not `one.id`: in a form that is the field of this name.
    const id = one.getAttribute("id");
    const part = id ? `#${id}` : [one.localName, ...one.classList].join(".");
    if (text.length + part.length >= LONGEST) break;
    text = part + (text && `>${text}`);
  }
  return text;
}

const OF = {
  lcp([entry], value, start) {
    const { responseStart } = navigationEntry();
    const told = { element: selector(entry.element) || (entry.id && `#${entry.id}`), url: cut(clean(entry.url), LONGEST) };
    if (entry.url) {
      for (const { name, requestStart, startTime, responseEnd } of performance.getEntriesByType("resource")) {
        if (name !== entry.url) continue;
        const began = requestStart || startTime;
        told.resource_delay_seconds = seconds(began - Math.max(responseStart, start));
        told.resource_seconds = seconds(Math.min(responseEnd, value + start) - began);
        told.render_delay_seconds = seconds(value + start - responseEnd);
      }
    }
    return told;
  },
  inp([entry], _, start) {
    const { name, target, startTime, duration } = entry;
    const ended = startTime + duration;
    let { processingStart: began, processingEnd: done } = entry;
    // What one frame shows is the work of all events before it (the browser rounds a duration to 8 ms).
    for (const one of events()) {
      if (Math.abs(one.startTime + one.duration - ended) > 8) continue;
      began = Math.max(Math.min(began, one.processingStart), startTime);
      done = Math.min(Math.max(done, one.processingEnd), ended);
    }
    let longest = { duration: 0 };
    for (const { scripts } of frames()) {
      for (const one of scripts) {
        if (one.startTime < ended && one.startTime + one.duration > startTime && one.duration > longest.duration) longest = one;
      }
    }
    return {
      element: selector(target),
      event: name,
      at_seconds: seconds(startTime - start),
      input_delay_seconds: seconds(began - startTime),
      processing_seconds: seconds(done - began),
      presentation_delay_seconds: seconds(ended - done),
      script: cut(clean(longest.sourceURL), LONGEST),
      function: cut(longest.sourceFunctionName, LONGEST),
    };
  },
  cls(entries, _, start) {
    let largest = entries[0];
    for (const one of entries) if (one.value > largest.value) largest = one;
    return { element: selector(largest.sources?.[0]?.node), at_seconds: seconds(largest.startTime - start), largest_shift: largest.value };
  },
};

/** The attribution of a vital of the `web-vitals` package, in a view that began at `start`, in milliseconds from the document's. */
export const attribution = (name, { entries, value }, start) =>
  OF[name] && entries.length ? compact(OF[name](entries, value, start)) : {};
