// The parts of a recording, fetched as they are needed: from the last full picture before a moment.
import { inert } from "./inert.js";

const FULL = 2;
const META = 4;

async function unpack(answer) {
  const packed = await answer.blob();
  const head = new Uint8Array(await packed.slice(0, 2).arrayBuffer());
  const gzip = head[0] === 0x1f && head[1] === 0x8b;
  return new Response(gzip ? packed.stream().pipeThrough(new DecompressionStream("gzip")) : packed).json();
}

/** The events of a part, in order. Throws when it cannot be had. */
export async function fetchPart(part) {
  const answer = await fetch(part.url);
  if (!answer.ok) throw new Error(`a part of the recording cannot be loaded (${answer.status})`);
  const { events } = await unpack(answer);
  return inert(events).sort((one, other) => one.timestamp - other.timestamp);
}

/** Where to begin for a moment: the number of the last part with a full picture from before it; -1 where there is none at all. */
export function startOf(parts, at) {
  let found = -1;
  for (let i = 0; i < parts.length; i++) {
    if (parts[i].full && (found < 0 || parts[i].from <= at)) found = i;
  }
  return found;
}

/** The events from the last full picture before a moment on. */
export function fromPicture(events, at) {
  let start = -1;
  for (let i = 0; i < events.length; i++) {
    if (events[i].type === FULL && (start < 0 || events[i].timestamp <= at)) start = i;
  }
  if (start < 0) return [];
  const meta = events.slice(0, start).findLastIndex((event) => event.type === META);
  return events.slice(meta < 0 ? start : meta);
}
