// `window.journeyUser`: what a site may call and change. docs/real-users.md describes it.
import { guarded, performance } from "../natives.js";
import { reported } from "./errors.js";
import { interaction } from "./interactions.js";
import { discreet, release } from "./settings.js";
import { cut } from "./shape.js";

export const api = {
  release,
  reportError: guarded(reported),
  event: guarded((name) => interaction("custom", performance.now(), { name: !discreet && cut(name, 100) })),
  setRelease(text) {
    api.release = text;
  },
};
