// Preloaded into Playwright's driver (see event_waits.py): gives its classes, which it does not export, the changes of the modules below.
"use strict";
const { EventEmitter } = require("node:events");
const bidi = require("./bidi.cjs");
const eventWaits = require("./event_waits.cjs");
const pageChannel = require("./page_channel.cjs");
const tabClosing = require("./tab_closing.cjs");

/** What changes a class: by a method that only its prototype has. */
const wanted = new Map([...eventWaits.CHANGES, ...pageChannel.CHANGES, ...bidi.CHANGES, ...tabClosing.CHANGES]);

// The constructor of every one calls this method.
const { setMaxListeners } = EventEmitter.prototype;
EventEmitter.prototype.setMaxListeners = function (count) {
  for (let prototype = Object.getPrototypeOf(this); wanted.size && prototype; prototype = Object.getPrototypeOf(prototype)) {
    for (const [method, change] of wanted) {
      if (!Object.hasOwn(prototype, method)) continue;
      wanted.delete(method);
      change(prototype);
    }
  }
  pageChannel.constructed(this);
  return setMaxListeners.call(this, count);
};

// The driver's child processes get the user's own options.
const { JOURNEY_NODE_OPTIONS: original } = process.env;
delete process.env.JOURNEY_NODE_OPTIONS;
if (original) process.env.NODE_OPTIONS = original;
else delete process.env.NODE_OPTIONS;
