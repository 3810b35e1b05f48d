// Preloaded into Playwright's driver (see event_waits.py). In browser contexts that carry the mark, a check that the driver would
// repeat after a fixed interval (20, 50, 100, 100, 500, 500 … ms) is repeated as soon as the page has changed. Only the interval
// differs: the checks, timeouts, call logs, traces, locator handlers and errors are the driver's own. Other contexts are not
// affected.
"use strict";

/** Stands in one of the context's init scripts; the same as MARK in event_waits.py. */
const MARK = "journey: waits=events";
/** The longest interval, in ms: for changes without any event, such as a property that is set by a script. */
const LATEST = 200;
/** An interval is at least this many times as long as the check before it, so checks take a fifth of the time at most. */
const REST = 4;
/** On a page that changes all the time, each interval is this much longer than the one before it, up to the most, in ms. */
const GROWTH = 2;
const GROWN = 32;
/** The most that an attempt of an action counts as, in ms: it mostly waits for frames, to see whether the element is stable. */
const ATTEMPT = 20;
/** The interval after a document that could not be queried, in ms. */
const GONE = 20;

/**
 * Runs in the page, in Playwright's isolated world, whose globals the site's scripts cannot replace. Resolves with the numbers of
 * changes and of scrolls once either differs from `seen`, so that changes between two calls are not missed.
 */
function nextChange(seen) {
  const EVERYTHING = { subtree: true, childList: true, attributes: true, characterData: true };
  const EVENTS = [
    "animationcancel", "animationend", "animationstart", "beforetoggle", "blur", "cancel", "change", "close", "DOMContentLoaded",
    "ended", "error", "focus", "fullscreenchange", "hashchange", "input", "invalid", "load", "loadeddata", "pageshow", "pause",
    "play", "playing", "popstate", "readystatechange", "reset", "resize", "select", "slotchange", "submit", "toggle",
    "transitioncancel", "transitionend", "transitionrun", "transitionstart", "visibilitychange",
  ];
  const start = () => {
    const watch = { changes: 1, scrolls: 1, tell: [], roots: new WeakSet(), searchAfter: 0 };
    const told = () => {
      const { tell } = watch;
      watch.tell = [];
      for (const resolve of tell) resolve([watch.changes, watch.scrolls]);
    };
    watch.changed = () => {
      watch.changes++;
      told();
    };
    watch.scrolled = () => {
      watch.scrolls++;
      told();
    };
    watch.observer = new MutationObserver(watch.changed);
    watch.observer.observe(document, EVERYTHING);
    return watch;
  };
  const watch = (globalThis.__journeyChanges ??= start());
  // At each call, since `document.open` removes all listeners; one that is still registered is not registered twice. Shadow roots
  // get their own, for events that are not composed.
  const listen = (target) => {
    for (const type of EVENTS) target.addEventListener(type, watch.changed, { capture: true, passive: true });
    target.addEventListener("scroll", watch.scrolled, { capture: true, passive: true });
  };
  listen(globalThis);
  document.addEventListener("readystatechange", watch.changed);
  const began = performance.now();
  if (began >= watch.searchAfter) {
    // Attaching a shadow root is no mutation. The search takes a twentieth of the time at most.
    const walk = (tree) => {
      const walker = document.createTreeWalker(tree, NodeFilter.SHOW_ELEMENT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const root = node.shadowRoot;
        if (!root) continue;
        if (!watch.roots.has(root)) {
          watch.roots.add(root);
          watch.observer.observe(root, EVERYTHING);
          listen(root);
          watch.changes++;
        }
        walk(root);
      }
    };
    walk(document);
    const ended = performance.now();
    watch.searchAfter = ended + 20 * (ended - began);
  }
  if (seen.changes !== watch.changes || seen.scrolls !== watch.scrolls) return [watch.changes, watch.scrolls];
  return new Promise((resolve) => watch.tell.push(resolve));
}
/** Once in each document; then its name is enough. */
const NAME = "__journeyNextChange";
const NEXT_CHANGE = `globalThis.${NAME} ??= ${nextChange}`;
/** Told to the page clock's agent (checks.js), in the page: a check has failed; a function held that was waited for, or at once. */
const [UNMET, HELD, HELD_AT_ONCE] = ["unmet", "held", "held-at-once"];
/** With the time at which it was so, in ms since the epoch: an attribute of the event, since an isolated world shares no objects. */
const announce = (what) => {
  const at = performance.timeOrigin + performance.now();
  return `document.dispatchEvent(new MessageEvent("journey:${what}", { lastEventId: "${at}" }))`;
};
/** A function that held at the first look was not waited for: that takes a few round trips to the page, and so many ms. */
const ROUND_TRIPS = 4;
const FIRST_LOOK = 20;

/** An expression's value in a context, or what its promise resolves with; without the script that Playwright needs for its own evaluations. */
async function evaluate(context, expression) {
  const { _client: client, _contextId: contextId } = context.delegate;
  const call = client.send("Runtime.evaluate", { expression, contextId, awaitPromise: true, returnByValue: true });
  const { result, exceptionDetails: failed } = await context.raceAgainstContextDestroyed(call);
  if (failed) throw new Error(failed.text);
  return result.value;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The changes of one page, in all of its frames. The page is only queried during a wait. */
class Changes {
  constructor(page) {
    this.page = page;
    this.changes = 0;
    this.scrolls = 0;
    this.asked = new Set();
    this.known = new WeakMap();
    this.waiting = new Set();
    // `history.pushState` changes the URL without an event in the page.
    page.mainFrame().on("internalnavigation", () => this.note(true));
  }

  /** The state by now, to be passed to `since`; `scrolls` says whether scrolling counts as a change. */
  seen(scrolls) {
    return scrolls ? this.changes + this.scrolls : this.changes;
  }

  note(changed) {
    if (changed) this.changes++;
    else this.scrolls++;
    const { waiting } = this;
    this.waiting = new Set();
    for (const wake of waiting) wake();
  }

  ask() {
    for (const frame of this.page.frames()) {
      if (this.asked.has(frame)) continue;
      this.asked.add(frame);
      this.next(frame).then((changed) => {
        this.asked.delete(frame);
        this.note(changed);
      });
    }
  }

  /** Resolves at the frame's next change: true, or false if it was only scrolled. Replacing the document is a change. */
  async next(frame) {
    try {
      const context = await frame.utilityContext();
      const before = this.known.get(context) ?? { changes: 0, scrolls: 0 };
      const call = `${this.known.has(context) ? "" : `${NEXT_CHANGE};`}${NAME}(${JSON.stringify(before)})`;
      const [changes, scrolls] = await evaluate(context, call);
      this.known.set(context, { changes, scrolls });
      return changes !== before.changes;
    } catch {
      // The document is being replaced, or the frame was detached: the check finds out.
      await sleep(GONE);
      return true;
    }
  }

  /** Tells the documents of `frame` and of the page. */
  tell(frame, what) {
    const announcement = announce(what);
    for (const one of new Set([frame, this.page.mainFrame()])) {
      const told = async () => evaluate(await one.utilityContext(), announcement);
      // A document that is being replaced has nobody to be told.
      told().catch(() => {});
    }
  }

  /** Resolves with whether the state differs from `seen`: at once when it does, after `latest` ms at the latest. */
  async since(seen, scrolls, latest) {
    const ends = performance.now() + latest;
    this.ask();
    while (this.seen(scrolls) === seen) {
      const left = ends - performance.now();
      if (left <= 0) return false;
      let wake, timer;
      await new Promise((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, left);
        this.waiting.add(wake);
      });
      clearTimeout(timer);
      this.waiting.delete(wake);
      this.ask();
    }
    return true;
  }
}

/** The repeated checks of one wait. */
class Checks {
  constructor(changes, frame, scrolls) {
    this.changes = changes;
    this.frame = frame;
    this.scrolls = scrolls;
    this.woken = 0;
    this.costs = [];
    this.started();
  }

  started() {
    this.seen = this.changes.seen(this.scrolls);
    this.began = performance.now();
  }

  ended(most = Infinity) {
    this.costs = [Math.min(performance.now() - this.began, most), ...this.costs.slice(0, 2)];
  }

  /** The interval before the next check, for which Playwright takes `own` ms. */
  async interval(own) {
    this.changes.tell(this.frame, UNMET);
    // The cheapest of the last checks: what is more went to other processes of a busy machine.
    const rest = Math.max(REST * Math.min(...this.costs), Math.min(GROWTH * this.woken, GROWN));
    const latest = Math.min(own, Math.max(LATEST, rest));
    const soonest = Math.min(latest, rest);
    await sleep(soonest);
    this.woken = (await this.changes.since(this.seen, this.scrolls, latest - soonest)) ? this.woken + 1 : 0;
  }
}

const marked = new WeakMap();
const isMarked = (script) => {
  if (!marked.has(script)) marked.set(script, script.source.includes(MARK));
  return marked.get(script);
};
const pages = new WeakMap();
/** The changes of a page whose context carries the mark; undefined for any other. */
function changesOf(page) {
  if (!pages.has(page) && page.browserContext.initScripts.some(isMarked)) pages.set(page, new Changes(page));
  return pages.get(page);
}

/** `Frame.retryWithProgressAndTimeouts`: matchers, `wait_for`, `wait_for_selector`, and elements that an action waits for. */
function changeFrame(prototype) {
  const original = prototype.retryWithProgressAndTimeouts;
  prototype.retryWithProgressAndTimeouts = async function (progress, timeouts, action) {
    const changes = changesOf(this._page);
    if (!changes) return original.call(this, progress, timeouts, action);
    const continuePolling = Symbol("continuePolling");
    const checks = new Checks(changes, this, true);
    for (let retry = 0; ; retry++) {
      if (retry) {
        const interval = checks.interval(timeouts[Math.min(retry, timeouts.length) - 1]);
        await progress.race(this._page.openScope.race(this._detachedScope.race(interval)));
      }
      checks.started();
      try {
        const result = await action(progress, continuePolling);
        if (result !== continuePolling) return result;
      } catch (error) {
        if (this.isNonRetriableError(error)) throw error;
      }
      checks.ended();
    }
  };
  // Matchers mark what they have found, for the trace and the page clock; `wait_for` and `wait_for_selector` do so here only.
  const waitForSelector = prototype.waitForSelector;
  prototype.waitForSelector = function (progress, target, log, options) {
    const marking = changesOf(this._page) ? { ...target, markTargets: "first" } : target;
    return waitForSelector.call(this, progress, marking, log, options);
  };
}

/** `wait_for_function` in the page's own world, which looks with each frame: the clock is told when the function held. */
function announceFunctions(prototype) {
  const original = prototype.waitForFunctionExpression;
  prototype.waitForFunctionExpression = async function (progress, expression, isFunction, arg, options, world = "main") {
    const changes = world === "main" && options.pollingInterval === undefined ? changesOf(this._page) : undefined;
    if (!changes) return original.call(this, progress, expression, isFunction, arg, options, world);
    const asked = performance.now();
    let began = Infinity;
    const answered = async () => {
      await (await this.mainContext()).evaluateExpression("0", {});
      began = performance.now();
    };
    answered().catch(() => {});
    const held = await original.call(this, progress, expression, isFunction, arg, options, world);
    changes.tell(this, performance.now() - began > ROUND_TRIPS * (began - asked) + FIRST_LOOK ? HELD : HELD_AT_ONCE);
    return held;
  };
}

/** `ElementHandle._retryAction`: an element that is attached, but not yet visible, enabled, stable or uncovered. */
function changeElement(prototype) {
  const original = prototype._retryAction;
  prototype._retryAction = async function (progress, name, action, options) {
    const changes = changesOf(this._page);
    if (!changes) return original.call(this, progress, name, action, options);
    // Scrolling does not count as a change, since every attempt scrolls to another position.
    const checks = new Checks(changes, this._frame, false);
    const waiting = Object.create(progress, { wait: { value: (own) => progress.race(checks.interval(own)) } });
    const attempt = async (_, retry) => {
      checks.started();
      try {
        // With the original `progress`, so that waits within an attempt, such as the `delay` of a click, keep their length.
        return await action(progress, retry);
      } finally {
        checks.ended(ATTEMPT);
      }
    };
    return original.call(this, waiting, name, attempt, options);
  };
}

exports.CHANGES = [["retryWithProgressAndTimeouts", changeFrame], ["waitForFunctionExpression", announceFunctions], ["_retryAction", changeElement]];
