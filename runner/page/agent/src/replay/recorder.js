// rrweb's recorder as it is used here: everything typed is masked, everything kept is cleaned, and its work is timed.
import { record, stopwatch } from "@rrweb/record";
import { guarded, performance } from "../natives.js";
import { descriptor, watchActs } from "./acts.js";
import { MASK, scrub } from "./scrub.js";
import { block, masksInputs, masksText } from "./settings.js";

const EDITED = "[contenteditable]:not([contenteditable=false]),[role=textbox]";
const KINDS =
  "input textarea select text password email tel url search number range color date datetime-local month week time hidden file";
const ALL = Object.fromEntries(KINDS.split(" ").map((kind) => [kind, true]));

const maskInput = (text) => (text ? MASK : "");
const maskText = (text, element) =>
  !text.trim() ? text : !element || element.closest?.(EDITED) ? MASK : text.replace(/\S/g, "•");

/** Milliseconds of the main thread that recording has taken. */
export const worked = () => stopwatch.spent;

export const mark = (tag, payload) => record.addCustomEvent(tag, payload);

let told = null;
let watched = false;

/** Begins to record: `emit(event, starts)` is called for each event; returns what ends it. */
export function recordInto(emit, pictureEvery, recordAfter = "load") {
  const elementOf = (id) => record.mirror.getNode(id);
  const began = performance.now();
  const stop = record({
    emit: guarded((event, starts) => emit(scrub(event, elementOf), starts)),
    checkoutEveryNms: pictureEvery,
    recordAfter,
    blockSelector: block,
    maskInputOptions: masksInputs ? ALL : { password: true },
    maskInputFn: maskInput,
    maskTextSelector: masksText ? "*" : masksInputs ? EDITED : undefined,
    maskTextFn: maskText,
    slimDOMOptions: "all",
    // What a script sets is distinguished from what a visitor types: only that belongs into a journey.
    userTriggeredOnInput: true,
    sampling: { mousemove: 100, mousemoveCallback: 500, scroll: 150, media: 800 },
    // An error of the recorder's is not the site's.
    errorHandler: () => true,
  });
  stopwatch.spent += performance.now() - began;
  if (!stop) return null;
  told = guarded((type, path, element) => mark("act", descriptor(type, path, element, (node) => record.mirror.getId(node))));
  if (!watched) watchActs((type, path, element) => told?.(type, path, element));
  watched = true;
  return () => {
    told = null;
    guarded(stop)();
  };
}
