// More of the browser's own, for the agent of a journey. See ../natives.js.
import { stringify as plain } from "../natives.js";

export const MutationObserver = globalThis.MutationObserver;

/** Whether this document runs callbacks: not in a sandboxed frame without scripts, where no message and no timer ever comes either. */
export function runsCallbacks() {
  let ran = false;
  const target = new EventTarget();
  target.addEventListener("called", () => {
    ran = true;
  });
  target.dispatchEvent(new Event("called"));
  return ran;
}

const MessageChannel = globalThis.MessageChannel;
/** A function that calls `then` in a task of its own; unlike a timer it is never held back. One call at a time. */
export function inNextTask(then) {
  const channel = new MessageChannel();
  const post = channel.port2.postMessage.bind(channel.port2);
  channel.port1.onmessage = () => then();
  return () => post(null);
}

const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor: own } = globalThis.Reflect;
const stamped = own(globalThis.Event.prototype, "timeStamp").get;
const { MessageEvent } = globalThis;
const { composedPath } = globalThis.Event.prototype;
/** The nodes that an event passes, from its target. */
export const pathOf = (event) => apply(composedPath, event, []);
const identified = own(MessageEvent.prototype, "lastEventId").get;
/** The number that a MessageEvent has for an id; 0 where it has none. */
export const idOf = (event) => (event instanceof MessageEvent ? Number(apply(identified, event, [])) || 0 : 0);
/** When an event happened, in milliseconds from the document's start. */
export const timeOf = (event) => apply(stamped, event, []);

// Old libraries (Prototype before 1.7) give every array and text a `toJSON` of their own: messages would be quoted twice.
// The last one first: what the others inherit from it is not theirs.
const { Object, Array, String, Number, Boolean, Promise, JSON } = globalThis;
const SPOILED = [Object.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype];
const { parse } = JSON;
// What Playwright's bindings need in the page.
const NEEDED = { JSON: { stringify: plain, parse }, Promise };

/** Calls `f` with the browser's own functions in the place of those that the site has put there. */
function unspoiled(f, value) {
  const spoilers = [];
  for (let i = 0; i < SPOILED.length; i++) {
    const spoiler = own(SPOILED[i], "toJSON");
    if (spoiler && deleteProperty(SPOILED[i], "toJSON")) spoilers[spoilers.length] = { of: SPOILED[i], name: "toJSON", spoiler };
  }
  for (const name in NEEDED) {
    const spoiler = own(globalThis, name);
    const put = defineProperty(globalThis, name, { value: NEEDED[name], configurable: true, writable: true });
    if (put && spoiler) spoilers[spoilers.length] = { of: globalThis, name, spoiler };
  }
  try {
    return f(value);
  } finally {
    for (let i = 0; i < spoilers.length; i++) defineProperty(spoilers[i].of, spoilers[i].name, spoilers[i].spoiler);
  }
}

export const stringify = (value) => unspoiled(plain, value);
/** A binding of Playwright's that the site cannot break; undefined where there is none. */
export const binding = (name) => {
  const bound = globalThis[name];
  return bound && ((text) => unspoiled(bound, text));
};
