// Takes out of rrweb's events what must not be kept: queries and fragments of addresses, what was typed, code, large pictures.
import { clean } from "../visitor/address.js";
import { masksInputs, masksText } from "./settings.js";

export const MASK = "••••••";
const FULL = 2;
const CHANGE = 3;
const META = 4;
const MUTATION = 0;
const INPUT = 5;
/** rrweb's sources of changes in styles: of sheets, of rules, of adopted sheets. */
const STYLES = new Set([8, 13, 15]);
const ADDRESSES = new Set([
  "href", "src", "action", "formaction", "poster", "cite", "data", "background", "xlink:href", "rr_src", "longdesc", "codebase",
]);
/** Nothing that is seen depends on them. */
const DROPPED = /^(on.*|srcdoc|srcset|imagesrcset|nonce|integrity|ping)$/i;
/** Attributes that say what was typed or chosen. */
const VALUES = new Set(["value", "data-value", "aria-valuetext", "aria-valuenow"]);
/** Whose `value` is what the page says, and no user. */
const FIXED = /^(option|button|li|progress|meter|param|data)$/;
const BUTTONS = /^(button|submit|reset|image)$/i;
/** Characters of a picture that is part of the page itself. */
const LARGEST = 100_000;

const address = (text) => (text.startsWith("#") ? text : /^data:(image|font)\//i.test(text) ? (text.length > LARGEST ? "" : text) : clean(text));

/** A text of CSS, its addresses cleaned. */
function css(text) {
  if (!text.includes("url(") && !text.includes("@import")) return text;
  return text
    .replace(/url\(\s*("[^"]*"|'[^']*'|[^)]*)\s*\)/gi, (_, quoted) => `url("${address(quoted.replace(/^["']|["']$/g, "").trim())}")`)
    .replace(/@import\s+(["'])(.*?)\1/gi, (_, quote, text) => `@import "${address(text)}"`);
}

/** Cleans the texts of CSS wherever they are in an object. */
function cleanStyles(object) {
  for (const name in object) {
    const value = object[name];
    if (typeof value === "string") object[name] = css(value);
    else if (value && typeof value === "object") cleanStyles(value);
  }
}

/** Cleans the attributes of an element: all of it, or those that have changed. */
function cleanAttributes(tag, type, attributes) {
  for (const name in attributes) {
    const value = attributes[name];
    if (DROPPED.test(name)) delete attributes[name];
    else if (value && typeof value === "object") cleanStyles(value);
    else if (typeof value !== "string" || !value) continue;
    else if (name === "style" || name === "_cssText") attributes[name] = css(value);
    else if (ADDRESSES.has(name)) attributes[name] = address(value);
    else if (name === "rr_dataURL") delete attributes[name];
    else if ((masksInputs || /^password$/i.test(type)) && VALUES.has(name) && !FIXED.test(tag) && !(tag === "input" && BUTTONS.test(type))) attributes[name] = MASK;
    else if (masksText && (name === "title" || name === "alt")) attributes[name] = MASK;
    // A page may write an address into any attribute.
    else if (value.length > LARGEST) attributes[name] = "";
    else if (/^[a-z][a-z\d+.-]*:\/\/[^\s?#]*[?#]/i.test(value)) attributes[name] = clean(value);
  }
}

function cleanNode(top) {
  const open = [top];
  while (open.length) {
    const node = open.pop();
    if (node.attributes) cleanAttributes(node.tagName, node.attributes.type, node.attributes);
    else if (node.textContent) node.textContent = css(node.textContent);
    if (node.childNodes) for (const child of node.childNodes) open.push(child);
  }
}

/** Cleans an event in its place; `elementOf(id)` is the element of an id of rrweb's. */
export function scrub(event, elementOf) {
  const { type, data } = event;
  if (type === META) data.href = clean(data.href);
  else if (type === FULL) cleanNode(data.node);
  if (type !== CHANGE) return event;
  if (data.source === MUTATION) {
    for (const { node } of data.adds) cleanNode(node);
    for (const text of data.texts) text.value &&= css(text.value);
    for (const { id, attributes } of data.attributes) {
      const element = elementOf(id);
      cleanAttributes(element?.localName ?? "", element?.type ?? "", attributes);
    }
  } else if (data.source === INPUT) {
    if (masksInputs && data.text) data.text = MASK;
  } else if (STYLES.has(data.source)) cleanStyles(data);
  return event;
}
