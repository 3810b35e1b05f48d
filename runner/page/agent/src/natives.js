// The browser's own functions, taken before any script of the site runs: a site may replace the globals later.
// esbuild puts these in the place of the globals of the same name in every module of the bundle (see build.js).
// What the browser calls back is guarded: an error of ours, or of web-vitals, must not be the site's.
const timing = globalThis.performance;

/** `f`, of three arguments at most, that never throws. */
export const guarded = (f) => (a, b, c) => {
  try {
    return f(a, b, c);
  } catch {
    // Nobody in the page could do anything about it.
  }
};

export const performance = {
  timeOrigin: timing.timeOrigin,
  now: timing.now.bind(timing),
  getEntriesByType: timing.getEntriesByType.bind(timing),
  get interactionCount() {
    return timing.interactionCount;
  },
};
const Observer = globalThis.PerformanceObserver;
export const PerformanceObserver =
  Observer &&
  class extends Observer {
    constructor(f) {
      super(guarded(f));
    }
  };

const known = new WeakMap();
const once = (f) => known.get(f) ?? (known.set(f, guarded(f)), known.get(f));
const { apply } = globalThis.Reflect;
const { addEventListener: add, removeEventListener: remove } = globalThis.EventTarget.prototype;
/** Calls `f` at each event of `target`. */
export const listen = (target, type, f, options) => apply(add, target, [type, once(f), options]);
export const addEventListener = (type, f, options) => listen(globalThis, type, f, options);
export const removeEventListener = (type, f, options) => apply(remove, globalThis, [type, once(f), options]);

/** A function of the browser that takes a callback, and options as its second argument. */
const calling = (name) => {
  const native = globalThis[name]?.bind(globalThis);
  return native && ((f, how) => native(guarded(f), how));
};
export const setTimeout = calling("setTimeout");
export const queueMicrotask = calling("queueMicrotask");
export const requestAnimationFrame = calling("requestAnimationFrame");
const requestIdleCallback = calling("requestIdleCallback");
export { requestIdleCallback as "globalThis.requestIdleCallback" };
/** Calls `f` when there is nothing else to do, or after a second. */
export const whenIdle = (f) => (requestIdleCallback ?? setTimeout)(f, { timeout: 1000 });
export const stringify = globalThis.JSON.stringify.bind(globalThis.JSON);
