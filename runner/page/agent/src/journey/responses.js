// The end of each response. Beacons are left out: nobody waits for them.
import { relativeEffect } from "./effects.js";
import { observe } from "../observe.js";

const UNAWAITED = new Set(["beacon", "ping"]);

export const watchResponses = () =>
  observe("resource", (entry) => {
    if (entry.responseEnd > 0 && !UNAWAITED.has(entry.initiatorType)) {
      relativeEffect("response", entry.responseEnd, entry.startTime);
    }
  });
