// Preloaded into Playwright's driver: the size of each body without compression. Chromium says it with each part of a body that it has
// received, in messages that come anyway and that Playwright does not read; so it costs no message and no question.
"use strict";

/** By responses of Playwright's: what has been received of each. */
const sizes = new WeakMap();
/** What belongs to the response that is being made. */
let current;

/** A session of a page: its answers are made into responses while they are told to its listeners. */
function watch(session) {
  const open = new Map();
  session.prependListener("Network.responseReceived", ({ requestId }) => {
    const size = { decoded: 0 };
    open.set(requestId, size);
    current = size;
    // Listeners are called one after the other, without a pause.
    queueMicrotask(() => {
      if (current === size) current = undefined;
    });
  });
  session.on("Network.dataReceived", ({ requestId, dataLength }) => {
    const size = open.get(requestId);
    if (size) size.decoded += dataLength;
  });
  const ended = ({ requestId }) => open.delete(requestId);
  session.on("Network.loadingFinished", ended);
  session.on("Network.loadingFailed", ended);
}

/** Called with each response of Playwright's as it is made. */
function constructed(response) {
  if (current) sizes.set(response, current);
  current = undefined;
}

/** The bytes of a body so far; null of one that came on an unwatched session. */
function of(response) {
  return sizes.get(response)?.decoded ?? null;
}

exports.watch = watch;
exports.constructed = constructed;
exports.of = of;
