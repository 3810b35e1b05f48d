// Loads what not every page needs at once: `clicks.js`, which looks for frustration (docs/real-users.md), and for the few visits that
// are recorded `replay.js` (docs/replay.md). Both are beside the agent.
import { share } from "./identity.js";
import { interaction } from "./interactions.js";
import { data, discreet, script } from "./settings.js";
import { mark } from "./synthetic.js";
import { viewNow } from "./views.js";

const load = (name) =>
  import(script.src.replace("agent.js", name)).then((part) => part.watch(viewNow, interaction)).catch(() => {});

export function loadParts() {
  // A journey does not wait for any of it.
  if (mark) return;
  if (data.frustration !== "off") load("clicks.js");
  if (!discreet && ("replayOnError" in data || share(viewNow().session) < data.replay)) load("replay.js");
}
