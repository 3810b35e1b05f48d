// Values as a beacon has them: seconds, texts that are not too long, and nothing that is empty.

/** Milliseconds as seconds, to the microsecond, from 0 to a day: what a beacon may hold. */
export const seconds = (milliseconds) => Math.min(Math.max(Math.round(milliseconds * 1e3) / 1e6, 0), 86_400) || 0;

export const cut = (text, length) => (text ? String(text).slice(0, length) : "");

/** The object without what is not worth sending: "", 0, false, null, and lists and objects with nothing in them. */
export function compact(object) {
  for (const name in object) {
    const value = object[name];
    if (!value || (typeof value === "object" && !Object.keys(value).length)) delete object[name];
  }
  return object;
}
