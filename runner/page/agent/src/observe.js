// One PerformanceObserver an entry type, which can be emptied at once: entries otherwise come in a later task.
import { PerformanceObserver } from "./natives.js";

/** Calls `each` with every entry of `type`, past and future; returns a function that delivers the waiting ones now. */
export function observe(type, each, options) {
  if (!PerformanceObserver.supportedEntryTypes.includes(type)) return () => {};
  const deliver = (entries) => {
    for (let i = 0; i < entries.length; i++) each(entries[i]);
  };
  const observer = new PerformanceObserver((list) => deliver(list.getEntries()));
  observer.observe({ type, buffered: true, ...options });
  return () => deliver(observer.takeRecords());
}
