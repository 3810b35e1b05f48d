// The browser's own functions, for the recorder. See ../natives.js.
import { guarded, setTimeout } from "../natives.js";

export { addEventListener, guarded, listen, performance, setTimeout } from "../natives.js";

const interval = globalThis.setInterval.bind(globalThis);
export const setInterval = (f, every) => interval(guarded(f), every);
const idle = globalThis.requestIdleCallback?.bind(globalThis);
export const requestIdle = idle ?? ((f) => setTimeout(f, 200));
