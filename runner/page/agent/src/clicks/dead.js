// Dead clicks: nothing has changed some seconds after something was clicked.
import { guarded, listen, performance, setTimeout } from "../natives.js";
import { selector } from "../visitor/attribution.js";
import { described } from "../visitor/element.js";
import { isVisible } from "../visitor/natives.js";
import { discreet } from "../visitor/settings.js";
import { compact } from "../visitor/shape.js";
import { watchEffects } from "./effects.js";
import { judged } from "./judged.js";

/** Milliseconds in which something has to change. */
const PATIENCE = 2_500;
/** Milliseconds in which a page that is scrolled is scrolled by its script; later it is the visitor. */
const SCROLLS = 300;
/** Clicks that are waited for at the same time. */
const MOST = 20;
const { MutationObserver } = globalThis;
const ALL = { subtree: true, childList: true, attributes: true, characterData: true };

const bare = () => location.href.replace(/#$/, "");

/** Calls `dead(at, what)` for each click after which nothing happened. */
export function watchDeadClicks(dead) {
  let waiting = [];
  const happened = () => {
    waiting = [];
    observer.disconnect();
  };
  const observer = new MutationObserver(guarded(happened));

  function judge(click) {
    if (observer.takeRecords().length || !isVisible() || bare() !== click.address) happened();
    if (!waiting.includes(click)) return;
    waiting = waiting.filter((one) => one !== click);
    if (!waiting.length) observer.disconnect();
    // Where nobody has prevented it, the browser goes where the link leads or sends the form, however long that takes.
    if ((click.leadsElsewhere && !click.event.defaultPrevented) || click.submits?.defaultPrevented === false) return;
    dead(click.at, click.what);
  }

  const watch = (type, f) => listen(globalThis, type, (event) => event.isTrusted && f(event), { capture: true, passive: true });
  watch("click", (event) => {
    const path = event.composedPath();
    const found = judged(event, path);
    if (!found || waiting.length >= MOST) return;
    const { element, leadsElsewhere } = found;
    // Of several clicks on the same thing, the first one; that there are many is a sign of its own.
    if (waiting.some((one) => one.element === element)) return;
    const what = { ...described(path, element), element: !discreet && selector(element) };
    const click = { element, leadsElsewhere, event, at: event.timeStamp, address: bare(), what: compact(what) };
    waiting[waiting.length] = click;
    for (const root of path) if (root.nodeType === 9 || root.nodeType === 11) observer.observe(root, ALL);
    setTimeout(() => judge(click), PATIENCE);
  });
  watch("submit", (event) => {
    for (const click of waiting) click.submits = event;
  });
  watchEffects(happened, () => {
    const soon = performance.now() - SCROLLS;
    waiting = waiting.filter((one) => one.at < soon);
  });
}
