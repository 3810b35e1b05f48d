// Draws on a recorded page where visitors have clicked: each counted element is looked for in the page as it was recorded, and framed.
import { Replayer } from "@rrweb/replay";
import { selector } from "../../../../runner/page/agent/src/visitor/attribution.js";
import { described } from "../../../../runner/page/agent/src/visitor/element.js";
import { fetchPart, fromPicture } from "./replay/parts.js";

const { part, until, elements } = JSON.parse(document.querySelector("#click-map").textContent);
const stage = document.querySelector(".stage");
const said = document.querySelector("#said");
/** Pixels of a page that are shown at most. */
const TALLEST = 20_000;
/** Elements of a page that are looked at. */
const MOST = 20_000;

/** Of a selector, what is inside of the document's root: the player gives that a class of its own. */
const inner = (text) => text.replace(/^html[^>]*>/, "");
const keyOf = ({ role, name, test_id: testId }) => JSON.stringify([role || "", name || "", testId || ""]);

/** Every element of the recorded page by its selector, and by role, name and test id. */
function index(root) {
  const bySelector = new Map();
  const byName = new Map();
  const add = (map, key, element) => map.set(key, [...(map.get(key) ?? []), element]);
  let left = MOST;
  const walk = (tree) => {
    for (const element of tree.querySelectorAll("*")) {
      if (!left--) return;
      if (element.shadowRoot) walk(element.shadowRoot);
      add(bySelector, inner(selector(element)), element);
    }
  };
  walk(root);
  const name = (element) => {
    const path = [];
    for (let one = element; one; one = one.parentNode ?? one.host) path.push(one);
    return keyOf(described(path, element));
  };
  return {
    find(wanted) {
      const same = bySelector.get(inner(wanted.element)) ?? [];
      const key = keyOf(wanted);
      const named = key !== keyOf({}) && same.length > 1 ? same.filter((one) => name(one) === key) : same;
      if (named.length || same.length) return named.length ? named : same;
      // Its classes or its place have changed.
      if (key === keyOf({})) return [];
      if (!byName.size) for (const all of bySelector.values()) for (const one of all) add(byName, name(one), one);
      return byName.get(key) ?? [];
    },
  };
}

function frame(layer, element, { count, dead }, number, most) {
  const { left, top, width, height } = element.getBoundingClientRect();
  if (!width || !height) return false;
  const box = document.createElement("div");
  box.className = dead === count ? "hit dead" : "hit";
  Object.assign(box.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  box.style.setProperty("--heat", String(0.15 + 0.6 * Math.sqrt(count / most)));
  const label = document.createElement("b");
  label.textContent = `${number}: ${count}`;
  box.append(label);
  layer.append(box);
  return true;
}

function draw(replayer) {
  const { iframe, wrapper } = replayer;
  const page = iframe.contentDocument;
  // The whole page, not what fitted onto the screen.
  const tall = Math.min(Math.max(page.documentElement.scrollHeight, Number(iframe.height) || 1), TALLEST);
  // Not the attribute, which the player sets again to what fitted.
  iframe.style.height = `${tall}px`;
  iframe.contentWindow.scrollTo(0, 0);
  const layer = document.createElement("div");
  layer.className = "hits";
  Object.assign(layer.style, { width: `${iframe.width}px`, height: `${tall}px` });
  const found = index(page);
  const most = Math.max(...elements.map((one) => one.count), 1);
  let drawn = 0;
  elements.forEach((wanted, place) => {
    const shown = found.find(wanted).filter((element) => frame(layer, element, wanted, place + 1, most));
    drawn += shown.length > 0;
    const row = document.querySelector(`[data-element="${place}"]`);
    row.textContent = !shown.length ? "not on the recorded page" : shown.length === 1 ? "yes" : `${shown.length} alike`;
  });
  wrapper.append(layer);
  const fit = () => {
    const scale = Math.min(stage.clientWidth / (Number(iframe.width) || 1), 1);
    wrapper.style.transform = `scale(${scale})`;
    wrapper.style.transformOrigin = "0 0";
    stage.style.height = `${Math.ceil(tall * scale)}px`;
  };
  fit();
  addEventListener("resize", fit);
  said.textContent = `${drawn} of ${elements.length} elements are on the recorded page.`;
  document.documentElement.dataset.clicks = "ready";
}

async function show() {
  const all = await fetchPart(part);
  const events = fromPicture(all, until).filter((event) => event.timestamp <= until || event.type === 4 || event.type === 2);
  if (events.length < 2) throw new Error("it holds no full picture of the page");
  const replayer = new Replayer(events, { root: stage, mouseTail: false, triggerFocus: false, showWarning: false, UNSAFE_replayCanvas: false });
  replayer.iframe.title = "The recorded page";
  replayer.pause(Math.max(until - events[0].timestamp, 0) + 1);
  // The player shows a moment in the next frames.
  requestAnimationFrame(() => requestAnimationFrame(() => draw(replayer)));
}

if (part) {
  show().catch((error) => {
    said.textContent = `The recorded page cannot be shown: ${error.message}.`;
    said.className = "poor";
  });
}
