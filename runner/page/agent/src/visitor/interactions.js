// What a user does: clicks, changed fields, sent forms, Enter. Counted by kind, and listed with what was acted on.
import { listen } from "../natives.js";
import { selector } from "./attribution.js";
import { actedOn, described, roleOf } from "./element.js";
import { discreet } from "./settings.js";
import { compact, seconds } from "./shape.js";
import { add, touch, use, viewAt } from "./views.js";

/** Notes an interaction at a moment of the document. */
export function interaction(type, at, what) {
  const view = viewAt(at);
  if (!view) return;
  view.counts[type] = (view.counts[type] ?? 0) + 1;
  touch(view);
  add(view, "interactions", compact({ type, at_seconds: seconds(at - view.at), ...what }));
}

export function watchInteractions() {
  let entered = null;

  const act = ({ type, timeStamp }, path, element) => {
    use(timeStamp);
    interaction(type === "keydown" ? "keyboard" : type, timeStamp, {
      ...described(path, element),
      element: !discreet && selector(element ?? path[0]),
    });
  };
  const watch = (type, f, target = globalThis) =>
    listen(target, type, (event) => event.isTrusted && f(event, event.composedPath()), { capture: true, passive: true });

  watch("click", (event, path) => {
    const element = actedOn(path);
    // The click on a label is followed by one on its field; Enter in a field by one on the form's button.
    if (element?.control || (entered && !event.detail && element !== entered)) return;
    act(event, path, element);
  });
  watch("keydown", (event, path) => {
    if (event.key !== "Enter" || event.repeat || event.isComposing) return;
    entered = actedOn(path);
    // In a longer text it is part of the text; on a button or a link the browser makes a click of it.
    if (entered?.localName === "input" && roleOf(entered) !== "button") act(event, path, entered);
  });
  watch("keyup", () => {
    entered = null;
  });

  const changed = (event, path) => act(event, path, path[0]);
  const roots = new WeakSet();
  // These two do not leave a shadow tree: each tree is watched once something in it has got the focus.
  const watchRoot = (root) => {
    if (roots.has(root)) return;
    roots.add(root);
    watch("change", changed, root);
    watch("submit", changed, root);
  };
  watchRoot(document);
  watch("focusin", (_, path) => watchRoot(path[0].getRootNode()));
}
