// UUID version 7 (RFC 9562, section 5.7): milliseconds since the epoch, then random bits.
import { randomBytes, wallClock } from "./natives.js";

export function uuid() {
  const random = randomBytes(10);
  let text = wallClock().toString(16).padStart(12, "0");
  random[0] = (random[0] & 0x0f) | 0x70;
  random[2] = (random[2] & 0x3f) | 0x80;
  for (let i = 0; i < 10; i++) text += (random[i] + 256).toString(16).slice(1);
  return text.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** When an id was made, in milliseconds since the epoch. */
export const made = (id) => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** A number from 0 to below 1, always the same for an id: its random bits. */
export const share = (id) => parseInt(id.slice(-8), 16) / 2 ** 32;
