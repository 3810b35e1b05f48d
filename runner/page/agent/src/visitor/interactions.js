// What a user does: clicks, changed fields, sent forms, Enter. Counted by kind, and listed with what was acted on.
import { listen } from "../natives.js";
import { actedOn, described, isEdited, roleOf } from "./element.js";
import { compact, seconds } from "./shape.js";
import { add, touch, use, viewAt } from "./views.js";

/** Where Enter is a click of the browser's own, or part of a text. */
const ENTER_IS_MORE = /^(a|button|summary|textarea|select)$/;

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
    interaction(type === "keydown" ? "keyboard" : type, timeStamp, described(path, element));
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
    const element = actedOn(path);
    entered = event.key === "Enter" && !event.isComposing ? element : null;
    if (!entered || event.repeat || isEdited(element) || ENTER_IS_MORE.test(element.localName)) return;
    if (element.localName !== "input" || roleOf(element) !== "button") act(event, path, element);
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
