// Which clicks can be judged: those on what is meant to be clicked or looks so, and whose effect would be seen from here.
import { actedOn, roleOf } from "../visitor/element.js";
import { URL } from "../visitor/natives.js";

/** Roles of what does something when it is clicked. */
const DOES = /^(button|link|tab|menuitem.*|option|switch|treeitem)$/;
/**
 * Whose effect is outside of the document (a caret, a picker, a dialog for files), inside something that cannot be looked into, or
 * rightly nothing: what is chosen already, or cannot be used. A label passes its click on to its field, which gets one of its own.
 */
const UNSEEN =
  "input:not([type=button],[type=submit],[type=reset],[type=image]),textarea,select,option,datalist,label,canvas,video,audio,embed," +
  "object,iframe,map,[contenteditable]:not([contenteditable=false]),[role=textbox],[role=slider],:disabled,[aria-disabled=true]," +
  "[aria-selected=true],[aria-checked=true],[aria-current]:not([aria-current=false])";

const bare = (address) => address.split("#")[0];

/** What becomes of a click on a link if no script prevents it: `elsewhere`, `nothing` at all, or what is not judged: `unseen`. */
function led(link) {
  const { protocol, hash, href } = new URL(link.href, location.href);
  const target = link.target;
  if ((target && target !== "_self") || link.hasAttribute("download")) return "unseen";
  if (protocol === "javascript:") return "nothing";
  // Mail, telephone, files, blobs: other programs, or downloads.
  if (!/^https?:$/.test(protocol)) return "unseen";
  if (bare(href) !== bare(location.href)) return "elsewhere";
  // "#" is the usual address of a link that a script is to make something of. That an anchor is in view, or that the page is the
  // one that is shown, frustrates nobody.
  if (!hash) return link.getAttribute("href").trim() === "#" ? "nothing" : "unseen";
  const id = decodeURIComponent(hash.slice(1));
  return document.getElementById(id) || document.getElementsByName(id).length || /^top$/i.test(id) ? "unseen" : "nothing";
}

/** The element and whether its default leads elsewhere, of a click that can be judged; else nothing. */
export function judged(event, path) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return null;
  let leads = "nothing";
  for (const one of path) {
    if (one.nodeType !== 1) continue;
    if (one.matches(UNSEEN)) return null;
    if (one.localName === "a" && one.href) leads = typeof one.href === "string" ? led(one) : "unseen";
    if (leads === "unseen") return null;
  }
  const element = actedOn(path);
  const does = element && DOES.test(roleOf(element));
  if (!does && globalThis.getComputedStyle(path[0]).cursor !== "pointer") return null;
  // What is drawn on a canvas changes nothing that could be noticed.
  if (document.querySelector("canvas")) return null;
  return { element: element ?? path[0], leadsElsewhere: leads === "elsewhere" };
}
