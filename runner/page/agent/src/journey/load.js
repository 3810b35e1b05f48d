// The end of the load event as an effect, once it has happened; in frames too.
import { absolute } from "../clock.js";
import { navigationEntry } from "../navigationEntry.js";
import { effect } from "./effects.js";

let noted = false;

export function noteLoad() {
  const entry = navigationEntry();
  if (entry && !noted && entry.loadEventEnd > 0) {
    noted = true;
    effect("load", absolute(entry.loadEventEnd));
  }
}
