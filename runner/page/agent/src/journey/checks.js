// What the script waits for: the elements that Playwright's checks find, and when they last changed before the check.
import { now } from "../clock.js";
import { addEventListener } from "../natives.js";
import { lastEffect } from "./effects.js";
import { idOf, pathOf } from "./natives.js";
import { drawnAt } from "./paint.js";

// Playwright announces each check, and each element that it found, for the snapshots of its traces; for `wait_for` it does so at the
// request of event_waits.cjs.
const CHECKED = "__playwright_reset_targets__";
const FOUND = "__playwright_mark_target__";
/** Dispatched by event_waits.cjs after a check that did not hold. */
const UNMET = "journey:unmet";
/** Dispatched by it when a function of `wait_for_function` held: after a while, as Playwright looks with each frame, or at once. */
const HELD = "journey:held";
const HELD_AT_ONCE = "journey:held-at-once";
/** Within so many ms before a function held lies the effect that made it hold, if any did: two frames. */
const FRAMES = 34;
/** A little before the end of the step, in ms: a stamp is a floating-point number. */
const BEFORE = 0.001;
/** The most elements of one check, and the most elements inside one of them, that are looked at. */
const MOST_FOUND = 20;
const MOST_INSIDE = 1_000;

/** When an element was inserted or one of its attributes set, and when its children or its text changed. */
const own = new WeakMap();
const content = new WeakMap();
let checkedAt = null;
let changedAt = 0;
let failedAt = 0;
let waitingSince = null;
let found = 0;
let heldAt = null;
let waited = false;

/** Takes in records of a mutation observer, which are delivered in the task in which the change was made. */
export function noteChanges(records) {
  const at = now();
  for (let i = 0; i < records.length; i++) {
    const { type, target, addedNodes } = records[i];
    if (type === "attributes") own.set(target, at);
    else content.set(type === "childList" ? target : (target.parentNode ?? target), at);
    for (let j = 0; j < addedNodes.length; j++) own.set(addedNodes[j], at);
  }
}

/** The newest change of an element, of what is inside it, and of the attributes around it; null when there is too much of it. */
function lastChange(element) {
  let newest = 0;
  const later = (at) => {
    if (at > newest) newest = at;
  };
  for (let node = element; node; node = node.parentNode ?? node.host) later(own.get(node));
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT);
  let inside = 0;
  for (let node = element; node; node = walker.nextNode()) {
    if (++inside > MOST_INSIDE) return null;
    later(own.get(node));
    later(content.get(node));
  }
  return newest;
}

/** Watches checks from now on; `flush` delivers the changes that have been made. */
export function watchChecks(flush) {
  addEventListener(CHECKED, () => {
    checkedAt = now();
    heldAt = null;
    found = 0;
  }, { capture: true });
  addEventListener(FOUND, (event) => {
    flush();
    if (++found > MOST_FOUND) changedAt = null;
    if (changedAt === null) return;
    const at = lastChange(pathOf(event)[0]);
    if (at === null || at > changedAt) changedAt = at;
  }, { capture: true });
  addEventListener(UNMET, () => {
    failedAt = checkedAt ?? now();
    waitingSince ??= failedAt;
  }, { capture: true });
  const held = (after) => (event) => {
    flush();
    // The page may have been busy when this came.
    const at = idOf(event);
    heldAt = at > 0 ? Math.min(at, now()) : now();
    waited = after;
  };
  addEventListener(HELD, held(true), { capture: true });
  addEventListener(HELD_AT_ONCE, held(false), { capture: true });
}

/** Since when checks have failed, at an act of the script; what was checked before it is no longer what is waited for. */
export function acted() {
  const since = waitingSince;
  forgetChecks();
  return since;
}

/**
 * As a check that passed: with the effect that made the function hold, or, where there is none, as one that had failed until then.
 * Null for a function that held at once, unless only an input came before it: then nothing else shows when the step ended.
 */
function heldCheck(since, until) {
  const at = Math.min(heldAt, until - BEFORE);
  const last = lastEffect(since, at);
  if (last && last.signal !== "input") {
    if (!waited) return null;
    if (at - last.at <= FRAMES) return { at, changed: last.at, failed: 0, drawn: drawnAt(last.at) };
  }
  return { at, changed: 0, failed: at - BEFORE, drawn: null };
}

/** What was waited for in a step that lasted from `since` to `until`, in milliseconds since the epoch. */
export function checks(since, until) {
  const held = heldAt === null ? null : heldCheck(since, until);
  if (held) return held;
  // Elements of a frame are checked from the page, which learns that a check has failed.
  if (checkedAt === null && !failedAt) return null;
  return { at: checkedAt ?? failedAt, changed: changedAt, failed: failedAt, drawn: changedAt ? drawnAt(changedAt) : null };
}

export function forgetChecks() {
  checkedAt = waitingSince = heldAt = null;
  changedAt = failedAt = 0;
}
