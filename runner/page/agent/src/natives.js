// The browser's own functions, taken before any script of the site runs: a site may replace the globals later.
// esbuild puts these in the place of the globals of the same name in every module of the bundle (see build.js).
const timing = globalThis.performance;

export const performance = {
  timeOrigin: timing.timeOrigin,
  now: timing.now.bind(timing),
  getEntriesByType: timing.getEntriesByType.bind(timing),
  get interactionCount() {
    return timing.interactionCount;
  },
};
export const PerformanceObserver = globalThis.PerformanceObserver;
export const MutationObserver = globalThis.MutationObserver;
export const addEventListener = globalThis.addEventListener.bind(globalThis);
export const setTimeout = globalThis.setTimeout.bind(globalThis);
export const stringify = globalThis.JSON.stringify.bind(globalThis.JSON);
export const requestAnimationFrame = globalThis.requestAnimationFrame.bind(globalThis);

const MessageChannel = globalThis.MessageChannel;
/** A function that calls `then` in a task of its own; unlike a timer it is never held back. One call at a time. */
export function inNextTask(then) {
  const channel = new MessageChannel();
  const post = channel.port2.postMessage.bind(channel.port2);
  channel.port1.onmessage = () => then();
  return () => post(null);
}
