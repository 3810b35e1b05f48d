// Sends chunks to the collector, one after the other, each until it has been taken; what is left when the page goes, by beacon.
import { setTimeout } from "../natives.js";
import { bytes, sendBeacon } from "../visitor/natives.js";
import { address } from "./settings.js";

/** Bytes of a last chunk: browsers keep 64 KiB for all that a page sends while it goes, and the agent's own beacon came first. */
const LAST = 40_000;
/** Characters of what waits: more is not kept in the memory of a visitor. */
const ROOM = 4_000_000;
const { Blob, CompressionStream, Response, fetch } = globalThis;

export const canSend = Boolean(CompressionStream);
export const waiting = [];
let busy = false;
let failures = 0;
let refused = () => {};

export const onRefusal = (f) => {
  refused = f;
};

const pack = (text) => new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();

/** Sends a chunk, given as the text of its JSON, when those before it have been sent. */
export function send(text) {
  waiting.push(text);
  if (waiting.reduce((sum, one) => sum + one.length, 0) > ROOM) refused("the collector does not answer");
  next();
}

async function next() {
  if (busy || !waiting.length) return;
  busy = true;
  const [text] = waiting;
  let answer = 0;
  try {
    // Without a type of its own, so that no preflight is needed; the collector sees that it is gzip.
    const body = new Blob([await pack(text)], { type: "text/plain" });
    answer = (await fetch(address, { method: "POST", body, credentials: "omit" })).status;
  } catch {
    // Offline, or the page is going.
  }
  busy = false;
  if (!answer || answer === 429 || answer >= 500) {
    failures++;
    setTimeout(next, Math.min(2_000 * 2 ** failures, 60_000));
    return;
  }
  failures = 0;
  if (waiting[0] === text) waiting.shift();
  if (answer >= 400) return refused(`the collector has answered with ${answer}`);
  next();
}

/** Sends what waits as the page goes; returns what may not have arrived. */
export function sendLast() {
  const left = waiting.filter((text) => bytes(text) > LAST || !sendBeacon(address, text));
  // What a beacon has taken is not sent again; what is under way may not come through.
  waiting.length = 0;
  return left;
}
