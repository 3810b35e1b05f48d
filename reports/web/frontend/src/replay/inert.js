// Takes out of a recording what could run or load anything. Whoever can send a recording can write what they like into it; the
// frame that it is shown in runs no scripts, and the page's policy lets nothing be loaded, so each of the three would be enough.
const FULL = 2;
const CHANGE = 3;
/** rrweb's events that are shown: the beginning and end of loading, pictures, changes, the page's size, our own. */
const KINDS = new Set([0, 1, FULL, CHANGE, 4, 5]);
/** rrweb's sources of changes that are shown: not canvases, fonts, logs. */
const SOURCES = new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16]);
const GONE = /^(script|noscript|base|object|embed|applet|portal|fencedframe|frame|frameset)$/i;
const PICTURE = /^data:image\/(png|gif|jpe?g|webp|avif|bmp|svg\+xml)[;,]/i;
const ADDRESSES = /^(src|srcset|imagesrcset|srcdoc|href|xlink:href|action|formaction|poster|data|background|ping|manifest|cite|longdesc|codebase|classid|code|archive|profile|lowsrc|dynsrc|rr_src|rr_dataurl|http-equiv|content|target|nonce|is|autoplay|autofocus|sandbox|attributionsrc|from|to|values|begin)$/i;

/** In the place of a picture that is not in the recording. */
const MISSING = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='24' height='24' viewBox='0 0 1 1' preserveAspectRatio='none'%3E%3Crect width='1' height='1' fill='%23888' fill-opacity='.25'/%3E%3C/svg%3E";

/** What the recorder writes in place of what was typed or chosen. */
const MASK = "••••••";
/** The characters of icon fonts: Unicode's private use areas; in CSS also as escapes. */
const ICONS = /[\u{e000}-\u{f8ff}\u{f0000}-\u{ffffd}\u{100000}-\u{10fffd}]/gu;
const ESCAPED_ICONS = /\\0{0,2}(?:e[0-9a-f]{3}|f[0-8][0-9a-f]{2}|(?:f|10)[0-9a-f]{4})(?![0-9a-f]) ?/gi;
/** As wide as a letter, and empty: no font is loaded, so an icon would be a box. */
const EMPTY = "\u2002";

/** CSS without addresses, except for embedded pictures; and without fonts, which the page's policy would refuse one by one. */
export const css = (text) =>
  text
    .replace(/@import[^;]*;?/gi, "")
    // An empty rule keeps the numbers of those after it.
    .replace(/@font-face\s*\{[^}]*\}/gi, "@font-face{}")
    .replace(ESCAPED_ICONS, "\\2002 ")
    .replace(ICONS, EMPTY)
    .replace(/url\(\s*("[^"]*"|'[^']*'|[^)]*)\s*\)/gi, (whole, quoted) => {
      const address = quoted.replace(/^["']|["']$/g, "").trim();
      return PICTURE.test(address) || address.startsWith("#") ? whole : 'url("data:,")';
    });

function cleanStyles(value) {
  if (typeof value === "string") return css(value);
  if (value && typeof value === "object") for (const name in value) value[name] = cleanStyles(value[name]);
  return value;
}

function cleanAttributes(tag, attributes) {
  for (const name in attributes) {
    const value = attributes[name];
    if (/^on/i.test(name)) delete attributes[name];
    else if (/^(style|_csstext)$/i.test(name)) attributes[name] = cleanStyles(value);
    else if (ADDRESSES.test(name)) {
      const text = String(value);
      const kept = (/^(src|href|xlink:href|rr_dataurl)$/i.test(name) && PICTURE.test(text)) || (/href$/i.test(name) && /^#/.test(text));
      // A link looks like a link as long as it has an address.
      if (name === "href" && /^(a|area)$/i.test(tag)) attributes[name] = "#";
      else if (!kept) delete attributes[name];
    }
  }
  // Without an address it would be a framed box, or nothing.
  if (/^img$/i.test(tag) && attributes.src === undefined && attributes.rr_dataURL === undefined) attributes.src = MISSING;
}

/**
 * The option with which a list of choices shows the mask, where its value was masked or is when something is chosen; null for anything
 * else. The recorder takes the choice away, so the list would show its first one, which nobody has chosen, or nothing. No recorded
 * node has its ids.
 */
function maskOption(node) {
  if (!/^select$/i.test(node.tagName) || node.attributes?.multiple) return null;
  const id = -10 - 2 * Math.abs(node.id || 0);
  const text = { type: 3, textContent: MASK, id: id - 1 };
  const chosen = node.attributes?.value === MASK ? { selected: true } : { hidden: true };
  return { type: 2, tagName: "option", attributes: { value: MASK, ...chosen }, childNodes: [text], id };
}

function cleanNode(top) {
  const open = [top];
  while (open.length) {
    const node = open.pop();
    if (!node || typeof node !== "object") continue;
    if (typeof node.tagName === "string") {
      node.attributes ??= {};
      const linked = /^link$/i.test(node.tagName) && typeof node.attributes._cssText !== "string";
      if (GONE.test(node.tagName) || linked || (/^meta$/i.test(node.tagName) && !node.attributes.charset)) {
        node.tagName = "noscript";
        node.attributes = {};
        node.childNodes = [];
      } else {
        cleanAttributes(node.tagName, node.attributes);
        const option = Array.isArray(node.childNodes) && maskOption(node);
        if (option) node.childNodes.push(option);
      }
    } else if (typeof node.textContent === "string") {
      const styled = node.isStyle || /url\(|@import|@font-face/i.test(node.textContent);
      node.textContent = styled ? css(node.textContent) : node.textContent.replace(ICONS, EMPTY);
    }
    if (Array.isArray(node.childNodes)) open.push(...node.childNodes);
  }
}

/** The events that may be shown, cleaned in their places. */
export function inert(events) {
  return events.filter((event) => {
    const { type, data } = event;
    if (!KINDS.has(type) || !data) return type === 0 || type === 1;
    if (type === FULL) cleanNode(data.node);
    if (type !== CHANGE) return true;
    if (!SOURCES.has(data.source)) return false;
    // Nodes that are added come one by one, without their children.
    for (const { node } of [...(data.adds ?? [])]) {
      cleanNode(node);
      const option = node && maskOption(node);
      if (!option) continue;
      const [text] = option.childNodes;
      data.adds.push({ parentId: node.id, nextId: null, node: { ...option, childNodes: [] } }, { parentId: option.id, nextId: null, node: text });
    }
    for (const text of data.texts ?? []) if (typeof text.value === "string") text.value = css(text.value);
    for (const { attributes } of data.attributes ?? []) cleanAttributes("", attributes);
    if ([8, 13, 15].includes(data.source)) cleanStyles(data);
    return true;
  });
}
