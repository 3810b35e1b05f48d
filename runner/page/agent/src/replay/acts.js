// Tells what was acted on, so that a recording can become a script: role, name and test id of the element, never its value.
import { actedOn, described, roleOf } from "../visitor/element.js";
import { compact } from "../visitor/shape.js";
import { listen } from "../natives.js";
import { block } from "./settings.js";

/** What is kept of an element: `idOf(node)` is its id in the recording. */
export function descriptor(type, path, element, idOf) {
  const node = element ?? path[0];
  const { role, name, test_id: testId } = described(path, node);
  const hidden = node.closest?.(block) || node.querySelector?.(block);
  const act = compact({ role, name: !hidden && name, testId, tag: node.localName, inputType: node.localName === "input" && node.type });
  act.type = type;
  act.id = idOf(node);
  if (node.localName === "select") act.index = node.selectedIndex;
  if (/^(checkbox|radio)$/.test(act.inputType)) act.checked = node.checked;
  return act;
}

/** Calls `told(type, path, element)` for what a user does in a window, in its open shadow trees and its frames of the same origin. */
export function watchActs(told, target = globalThis) {
  const watch = (type, f, where = target) =>
    listen(where, type, (event) => event.isTrusted && f(event, event.composedPath()), { capture: true, passive: true });

  watch("click", (event, path) => told("click", path, actedOn(path)));
  watch("keydown", (event, path) => {
    const field = event.key === "Enter" && !event.repeat && !event.isComposing && actedOn(path);
    if (field && field.localName === "input" && roleOf(field) !== "button") told("enter", path, field);
  });
  const roots = new WeakSet();
  const watchRoot = (root) => {
    if (roots.has(root)) return;
    roots.add(root);
    watch("change", (_, path) => told("change", path, path[0]), root);
    watch("submit", (_, path) => told("submit", path, path[0]), root);
  };
  watchRoot(target.document);
  watch("focusin", (_, path) => watchRoot(path[0].getRootNode()));
  // What is edited without being a field has no change event.
  watch("focusout", (_, path) => path[0].isContentEditable && told("change", path, path[0]));

  const watchFrame = (frame) => {
    try {
      if (frame.contentWindow?.document) watchActs(told, frame.contentWindow);
    } catch {
      // Of another origin: rrweb does not see into it either.
    }
  };
  for (const frame of target.document.querySelectorAll("iframe")) watchFrame(frame);
  listen(target, "load", ({ target: frame }) => frame.localName === "iframe" && watchFrame(frame), { capture: true });
}
