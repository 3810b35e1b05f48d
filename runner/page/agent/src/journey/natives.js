// More of the browser's own, for the agent of a journey. See ../natives.js.
export const MutationObserver = globalThis.MutationObserver;

const MessageChannel = globalThis.MessageChannel;
/** A function that calls `then` in a task of its own; unlike a timer it is never held back. One call at a time. */
export function inNextTask(then) {
  const channel = new MessageChannel();
  const post = channel.port2.postMessage.bind(channel.port2);
  channel.port1.onmessage = () => then();
  return () => post(null);
}
