// Addresses without what may be personal: no user, no query but the keys that are allowed, no fragment.
import { URL } from "./natives.js";
import { query } from "./settings.js";
import { cut } from "./shape.js";

/** The address, from the document on; only its scheme where that is not one of the web's, and "" where it is not an address. */
export function clean(address) {
  if (!address) return "";
  try {
    const parts = new URL(address, location.href);
    if (parts.origin === "null") return parts.protocol;
    let kept = "";
    parts.searchParams.forEach((value, name) => {
      if (query.has(name)) kept += `${kept ? "&" : "?"}${name}=${encodeURIComponent(value)}`;
    });
    return cut(parts.origin + parts.pathname + kept, 1_000);
  } catch {
    return "";
  }
}

// The line and column that follow an address in a stack stay.
const IN_TEXT = /(\w:\/\/)(?:[^\s/@"'()]*@)?([^\s?#"'()]*)(?:[?#][^\s"'()]*?)?(?=(?::\d+){0,2}(?:[\s"'()]|$))/g;

/** A text, such as a stack, with the addresses in it cleaned. */
export const cleanText = (text, length) => cut(cut(text, 2 * length).replace(IN_TEXT, "$1$2"), length);
