// Loads the recorder of what a visitor sees, for the few visits that are recorded: `replay.js`, which docs/replay.md describes.
import { share } from "./identity.js";
import { data, discreet, script } from "./settings.js";
import { mark } from "./synthetic.js";
import { viewNow } from "./views.js";

export function loadRecorder() {
  if (discreet || mark || !("replayOnError" in data || share(viewNow().session) < data.replay)) return;
  // Beside the agent.
  import(script.src.replace("agent.js", "replay.js")).then((recorder) => recorder.watch(viewNow)).catch(() => {});
}
