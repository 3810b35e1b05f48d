// Looks for clicks after which nothing happens, and for routes of a single-page app that a visitor goes back from: `/clicks.js` of
// the collector, which the agent loads once the page is loaded. docs/real-users.md says what counts, and after whom.
import { guarded, listen, performance } from "./natives.js";
import { watchDeadClicks } from "./clicks/dead.js";

export const watch = guarded((_, interaction) => {
  watchDeadClicks((at, what) => interaction("dead-click", at, what));
  const { navigation } = globalThis;
  if (!navigation?.addEventListener) return;
  listen(navigation, "currententrychange", ({ navigationType, from }) => {
    if (navigationType === "traverse" && navigation.currentEntry.index < from.index) interaction("back", performance.now());
  });
});
