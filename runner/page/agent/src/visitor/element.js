// What was acted on, as a user would say it: role, accessible name and test id. Never what was typed, and nothing from inside
// an element that is `data-private`.
import { discreet } from "./settings.js";
import { compact, cut } from "./shape.js";

const LONGEST = 100;
/** Nodes that are looked at for a name: a click must not wait for a walk through a whole page. */
const NODES = 100;
const TEST_IDS = ["data-testid", "data-test-id", "data-test", "data-qa", "data-cy"];
/** What has no text of its own to show, or one that was typed. */
const UNREAD = /^(input|textarea|select|output|script|style)$/;
/** Roles that are named by what is in them (WAI-ARIA 1.2, section 5.2.8.5). */
const NAMED_BY_CONTENT = /^(button|link|tab|menuitem.*|option|checkbox|radio|switch|treeitem)$/;
const ROLES = { button: "button", summary: "button", textarea: "textbox", select: "combobox", form: "form" };
const INPUTS = {
  button: "button", submit: "button", reset: "button", image: "button", checkbox: "checkbox", radio: "radio", range: "slider",
  number: "spinbutton", search: "searchbox",
};

const attribute = (element, name) => element.getAttribute?.(name)?.trim() ?? "";
const isPrivate = (element) => element.hasAttribute?.("data-private");
/** Whether it is a text that can be edited. */
const isEdited = (element) => /^(true|plaintext-only|)$/i.test(element.getAttribute?.("contenteditable") ?? "no");

export function roleOf(element) {
  const name = element.localName;
  return (
    cut(attribute(element, "role").split(" ")[0], LONGEST) ||
    (isEdited(element) ? "textbox"
    : name === "input" ? (INPUTS[element.type] ?? "textbox")
    : name === "a" ? (element.href ? "link" : "")
    : (ROLES[name] ?? ""))
  );
}

/** The text in a node, without fields, texts that are edited, and what is private. */
function textIn(node) {
  let text = "";
  let left = NODES;
  const walk = (one) => {
    if (!left-- || text.length > 2 * LONGEST) left = 0;
    else if (one.nodeType === 3) text += one.data;
    else if (!isPrivate(one) && !UNREAD.test(one.localName) && !isEdited(one)) {
      const label = attribute(one, "aria-label") || attribute(one, "alt");
      text += ` ${label} `;
      if (label) return;
      if (one.shadowRoot) walk(one.shadowRoot);
      for (let child = one.firstChild; child && left; child = child.nextSibling) walk(child);
    }
  };
  walk(node);
  return text.replace(/\s+/g, " ").trim();
}

function nameOf(element, role) {
  const field = UNREAD.test(element.localName) || isEdited(element);
  let labelled = "";
  const label = (by) => {
    if (by && !by.closest("[data-private],[contenteditable]")) labelled += ` ${textIn(by)}`;
  };
  for (const id of attribute(element, "aria-labelledby").split(/\s+/)) label(element.getRootNode().getElementById?.(id));
  if (!labelled) for (const one of element.labels ?? []) label(one);
  const name =
    labelled.trim() ||
    attribute(element, "aria-label") ||
    // The value of a button is its text; that of any other input is what was typed.
    (field ? INPUTS[element.type] === "button" && attribute(element, "value") : NAMED_BY_CONTENT.test(role) && textIn(element)) ||
    attribute(element, "title") ||
    attribute(element, "placeholder") ||
    attribute(element, "alt");
  return cut(name, LONGEST);
}

/** The element of an event's path that can be acted on, if there is one. */
export function actedOn(path) {
  let found = null;
  for (const one of path) {
    // Inside a text that is being edited even a link is part of what was typed.
    if (isEdited(one)) return one;
    if (one.nodeType === 1 && (roleOf(one) || one.localName === "label")) found ??= one;
  }
  return found;
}

/** What a beacon reports about an element of an event's path: `role`, `name`, `test_id`. */
export function described(path, element) {
  const role = element ? roleOf(element) : "";
  let hidden = discreet;
  let around = false;
  let testId = "";
  for (const one of path) {
    around ||= one === element;
    hidden ||= around && isPrivate(one);
    for (const name of TEST_IDS) testId ||= attribute(one, name);
  }
  return compact({ role, name: around && !hidden && nameOf(element, role), test_id: !discreet && cut(testId, LONGEST) });
}
