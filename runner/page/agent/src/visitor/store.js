// A little text that outlives the page: in the browser's storage where it lets us, else for as long as the page lives.
import { app, stores } from "./settings.js";

const STORAGES = stores ? ["localStorage", "sessionStorage"] : [];
const memory = {};
const full = (name) => `journey-user/${app}/${name}`;

export function read(name) {
  for (const storage of STORAGES) {
    try {
      // The mere look at a storage throws where cookies are blocked.
      const found = globalThis[storage].getItem(full(name));
      if (found) return found;
    } catch {
      // The next one may be allowed.
    }
  }
  return memory[name] ?? "";
}

/** Keeps a text; forgets the last one when it is empty. */
export function write(name, text) {
  memory[name] = "";
  for (const each of STORAGES) {
    try {
      const storage = globalThis[each];
      // First, so that an old text does not stay where there is no room for the new one.
      storage.removeItem(full(name));
      if (text) storage.setItem(full(name), text);
      return;
    } catch {
      // The next one may be allowed, or have room.
    }
  }
  memory[name] = text;
}
