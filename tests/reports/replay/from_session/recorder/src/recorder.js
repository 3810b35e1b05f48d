// Records a page as the agent does, and hands each event to the test: `window.recorded(event, as JSON)`.
import { record } from "@rrweb/record";
import { actedOn, described } from "../../../../../../runner/page/agent/src/visitor/element.js";

const MASK = "•".repeat(6);

function watch(root) {
  const on = (type, act) => root.addEventListener(type, (event) => event.isTrusted && act(event, event.composedPath()), true);
  const tell = (type, path, element) => {
    const { role, name, test_id: testId } = described(path, element);
    const index = element.localName === "select" ? { index: element.selectedIndex } : {};
    const checked = /^(checkbox|radio)$/.test(element.type) ? { checked: element.checked } : {};
    const id = record.mirror.getId(element);
    record.addCustomEvent("act", { type, id, role, name, testId, tag: element.localName, inputType: element.type, ...index, ...checked });
  };
  if (root === document) {
    on("click", (event, path) => {
      const element = actedOn(path);
      if (element && !element.control) tell("click", path, element);
    });
    on("keydown", (event, path) => {
      if (event.key === "Enter" && path[0].localName === "input") tell("keyboard", path, path[0]);
    });
    on("focusin", (event, path) => {
      const inner = path[0].getRootNode();
      if (inner !== document && !inner.watched) watch(inner);
    });
  }
  root.watched = true;
  on("change", (event, path) => tell("change", path, path[0]));
  on("submit", (event, path) => tell("submit", path, path[0]));
}

function start() {
  const view = () => record.addCustomEvent("view", { id: crypto.randomUUID(), url: location.href.split(/[?#]/)[0] });
  record({
    emit: (event) => window.recorded(JSON.stringify(event)),
    maskAllInputs: true,
    maskInputFn: () => MASK,
    ...(window.maskText && { maskTextSelector: "*", maskTextFn: (text) => text.replace(/\S/g, "•") }),
    inlineStylesheet: true,
    userTriggeredOnInput: true,
    recordAfter: "DOMContentLoaded",
  });
  view();
  watch(document);
  for (const method of ["pushState", "replaceState"]) {
    const own = history[method];
    history[method] = (...given) => {
      own.apply(history, given);
      view();
    };
  }
  addEventListener("popstate", view);
}

// The empty page that a new window begins with is nobody's; its window may become that of the first page.
function begin() {
  if (window !== window.top) return;
  if (location.href === "about:blank") setTimeout(begin, 20);
  else if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
}

begin();
