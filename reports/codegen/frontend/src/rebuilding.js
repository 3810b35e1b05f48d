// A tab of a recording, rebuilt in a page of our own: the elements in it are found by rrweb's ids.
import { Replayer } from "@rrweb/replay";

/** Between two events, whatever time was between them: so that times differ, and an event is reached by its place. */
const APART = 10;
const MARK = "data-acted-on";
let replayer = null;

/** Takes the events of a tab, as JSON. Resolves when the first document may stand. */
window.rebuildOpen = async (text) => {
  const events = JSON.parse(text).map((event, place) => ({ ...event, timestamp: 1e6 + APART * place, delay: undefined }));
  replayer?.destroy();
  replayer = new Replayer(events, {
    root: document.body,
    loadTimeout: 0,
    showWarning: false,
    mouseTail: false,
    triggerFocus: false,
    pauseAnimation: true,
    // It rebuilds what was passed over in a copy without styles or frames.
    useVirtualDom: false,
  });
  replayer.iframe.id = "rebuilt";
  await new Promise((resolve) => setTimeout(resolve, 2 * APART));
};

/** Goes to the moment before the event at this place. Only forward: what lies behind was rebuilt already. */
window.rebuildSeek = async (place) => {
  replayer.pause(APART * place);
  // Styles in the document take effect, and frames get their documents.
  await new Promise((resolve) => setTimeout(resolve));
};

function clear(root) {
  for (const one of root.querySelectorAll("*")) {
    one.removeAttribute(MARK);
    if (one.shadowRoot) clear(one.shadowRoot);
    if (one.localName === "iframe" && one.contentDocument) clear(one.contentDocument);
  }
}

/** What is chosen as a whole: a click is often on a part of it. */
const CHOICES = "[role=option], [role^=menuitem], [role=tab], [role=treeitem], [role=switch]";

/** The choice that an element is in, unless it is in something of its own there, such as a button. */
function chosen(element) {
  const around = element.closest("a, button, input, select, textarea, [role]:not([role=presentation], [role=none])");
  return around?.matches(CHOICES) ? around : element;
}

/** Whether an element is in the document now. */
window.rebuildHas = (id) => Boolean(replayer.getMirror().getNode(id)?.isConnected);

/** Marks an element and the frames around it; how many frames there are, and what else is to be known. Null: it is not there. */
window.rebuildMark = (id) => {
  clear(replayer.iframe.contentDocument);
  let element = replayer.getMirror().getNode(id);
  if (element && element.nodeType !== 1) element = element.parentElement ?? element.host;
  if (!element?.isConnected) return null;
  element = chosen(element);
  element.setAttribute(MARK, "here");
  let frames = 0;
  for (let root = element.ownerDocument; root !== replayer.iframe.contentDocument; frames++) {
    const frame = root.defaultView?.frameElement;
    if (!frame || frame === replayer.iframe) break;
    frame.setAttribute(MARK, "frame");
    root = frame.ownerDocument;
  }
  const form = element.form ?? element.closest("form");
  const attribute = (name) => element.getAttribute(name)?.trim() ?? "";
  return {
    frames,
    tag: element.localName,
    type: element.localName === "input" ? element.type : "",
    field: attribute("name"),
    label: element.labels?.[0] ? labelOf(element.labels[0]) : attribute("aria-label"),
    placeholder: attribute("placeholder"),
    method: (form?.getAttribute("method") ?? "").toLowerCase(),
    password: Boolean(form?.querySelector("input[type=password]")),
    submits: Boolean(form) && (element.type === "submit" || element.type === "image"),
  };
};

/** The text of a label, without that of the field in it. */
function labelOf(label) {
  const copy = label.cloneNode(true);
  for (const field of copy.querySelectorAll("input, select, textarea, button")) field.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

/** The headings that can be seen, of the highest level first. */
window.rebuildHeadings = () => {
  const root = replayer.iframe.contentDocument;
  const seen = [...root.querySelectorAll("h1, h2, h3, [role=heading]")].filter((one) => one.checkVisibility({ visibilityProperty: true }));
  seen.sort((one, other) => one.localName.localeCompare(other.localName));
  return seen.map((one) => one.textContent.replace(/\s+/g, " ").trim()).filter((text) => text);
};

window.rebuildTitle = () => replayer.iframe.contentDocument.title;
