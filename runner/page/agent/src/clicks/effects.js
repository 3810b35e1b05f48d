// What can follow a click without a change of the document: events, and calls of the browser's functions.
import { listen } from "../natives.js";
import { overhear } from "../visitor/natives.js";

/** Something begins, opens, moves or is said; errors too, which are a sign of their own. */
const EVENTS =
  "focusin input change reset invalid toggle beforetoggle close cancel copy cut paste play pause seeking volumechange ratechange " +
  "fullscreenchange pointerlockchange beforeprint blur pagehide animationstart transitionrun dragstart error unhandledrejection";
/** Of a page that asks, plays, sends, shares, downloads, opens a dialog for files: `[owner, names]`. */
const CALLS = [
  ["globalThis", "open alert confirm prompt print fetch"],
  ["XMLHttpRequest", "send"],
  ["WebSocket", "send"],
  ["Clipboard", "write writeText readText"],
  ["HTMLMediaElement", "play pause load"],
  ["AudioScheduledSourceNode", "start"],
  ["AudioBufferSourceNode", "start"],
  ["SpeechSynthesis", "speak"],
  ["Element", "animate requestFullscreen requestPointerLock"],
  ["HTMLElement", "click showPopover hidePopover togglePopover"],
  ["HTMLInputElement", "showPicker"],
  ["Navigator", "share"],
  ["MessagePort", "postMessage"],
  ["Worker", "postMessage"],
];

/** Calls `happened()` when something happens, `scrolled()` when something is scrolled. */
export function watchEffects(happened, scrolled) {
  const anywhere = { capture: true, passive: true };
  for (const type of EVENTS.split(" ")) {
    listen(globalThis, type, (event) => type === "blur" && event.target !== globalThis || happened(), anywhere);
  }
  listen(document, "visibilitychange", happened);
  listen(globalThis, "scroll", scrolled, anywhere);
  // A text that gets selected; a mere click moves the place where a selection would begin.
  listen(document, "selectionchange", () => globalThis.getSelection().isCollapsed || happened());
  const { navigation } = globalThis;
  if (navigation?.addEventListener) {
    // "#" in an address leads nowhere.
    listen(navigation, "navigate", ({ hashChange, destination }) => (hashChange && /#$/.test(destination.url)) || happened());
  }
  for (const [owner, names] of CALLS) {
    const methods = owner === "globalThis" ? globalThis : globalThis[owner]?.prototype;
    // What is sent to outlive the page is for whoever counts clicks.
    if (methods) for (const name of names.split(" ")) overhear(methods, name, ([, options]) => options?.keepalive || happened());
  }
}
