// Records what a visitor sees, for a player: `/replay.js` of the collector, loaded by the agent for the visits that are recorded.
// docs/replay.md says what is kept and what is not. Nothing here may throw into the page.
import { addEventListener, guarded, listen, performance, requestIdle, setInterval, setTimeout } from "./replay/natives.js";
import { mark, recordInto, worked } from "./replay/recorder.js";
import { canSend, onRefusal, send, sendLast } from "./replay/sending.js";
import { address, idle, longest, mostChanges, mostCharacters, mostWork, onError, share as recorded } from "./replay/settings.js";
import { leave, take } from "./replay/tab.js";
import { clean } from "./visitor/address.js";
import { share, uuid } from "./visitor/identity.js";
import { isVisible, stringify } from "./visitor/natives.js";
import { app, discreet, key, release, warn } from "./visitor/settings.js";
import { cut } from "./visitor/shape.js";

const MINUTE = 60_000;
const FLUSH = 5_000;
/** Characters of a chunk: a fifth to a tenth of it once it is packed, so about 60 KB. */
const LARGE = 400_000;
/** Of one event: the collector takes 8 MiB. */
const LARGEST = 7_000_000;
const PICTURE = 90_000;
/** How often it is looked for what another page of the tab has left. */
const LOOKS = 10;

let viewNow;
let stop = null;
let state;
let events = [];
let size = 0;
let total = 0;
/** Of a recording that waits for an error: what was before its last full picture. */
let before = null;
let first = true;
let view = "";
/** The address to which the browser's buttons have led within this document. */
let returnedTo = "";
let began = 0;
let usedAt = 0;
let over = false;
let spentBefore = 0;
let changes = 0;
let ending = false;
let leaving = false;
/** Whether it is not known yet how far the tab has come. */
let returning = false;

const synopsis = () => ({ version: 1, app, key: cut(key, 100), session: state.session, tab: state.tab, sequence: state.sequence });

/** The chunk of what there is now, as text; "" when there is nothing. */
function chunk() {
  if (!events.length) return "";
  const head = stringify({ ...synopsis(), first, release: cut(globalThis.journeyUser?.release ?? release, 200), webdriver: navigator.webdriver === true });
  const text = `${head.slice(0, -1)},"events":[${events.join(",")}]}`;
  state.sequence++;
  first = false;
  events = [];
  size = 0;
  return text;
}

function flush() {
  if (before) return;
  const text = chunk();
  if (!text) return;
  total += text.length;
  send(text);
  if (total > mostCharacters) giveUp(`it sent ${total} bytes`);
}

function emit(event, starts) {
  if (over) return;
  if (event.type === 3 && event.data.source === 0) {
    const { adds, removes, texts, attributes } = event.data;
    changes += adds.length + removes.length + texts.length + attributes.length;
  }
  // A moved pointer and a changed field are a user's, a changed document is not.
  if (event.type === 3 && event.data.source) usedAt = performance.now();
  const text = stringify(event);
  if (text.length > LARGEST) return giveUp("one change of the page was too large");
  // A ring of two: from a full picture on, and from the one before it.
  if (before && starts && event.type === 4) {
    before = events;
    events = [];
    size = 0;
  }
  events.push(text);
  size += text.length;
  if (size > LARGE) {
    if (!before) flush();
    else if (size > 10 * LARGE) giveUp(`it kept ${size} bytes`);
  }
  if (event.type !== 5) tellView();
}

function tellView() {
  const now = viewNow();
  if (now.id === view || !stop) return;
  view = now.id;
  const back = now.url === returnedTo || /^(back_forward|bfcache)$/.test(now.type);
  returnedTo = "";
  mark("view", { id: now.id, url: now.url, ...(back && { back }) });
}

/** Ends the recording for good, and says why in it. */
function giveUp(why) {
  if (ending) return;
  ending = true;
  if (stop) guarded(() => mark("gave-up", { why }))();
  over = true;
  pause();
  if (before) events = [];
  before = null;
  flush();
}

function pause() {
  stop?.();
  stop = null;
}

function resume() {
  if (over || stop || returning) return;
  const { session, quiet } = viewNow();
  if (quiet) return;
  if (session !== state.session) {
    // Another visit: its numbers begin again.
    state = { tab: state.session ? uuid() : state.tab, session, sequence: 0 };
  }
  first = true;
  view = "";
  usedAt = performance.now();
  stop = recordInto(emit, PICTURE);
  if (!stop) return;
  tellView();
  flush();
}

/** An error has happened: what is in the ring is sent, and all that follows. */
function failed() {
  if (!before || over) return;
  events = [...before, ...events];
  before = null;
  flush();
}

function look() {
  if (over) return;
  flush();
  const now = performance.now();
  if (now - began > longest) return giveUp(`${longest / MINUTE} minutes are over`);
  if (!isVisible() && now - usedAt > idle) return pause();
  if (stop && viewNow().session !== state.session) {
    pause();
    resume();
  }
}

function weigh() {
  const spent = worked() - spentBefore;
  if (spent > mostWork) giveUp(`it took ${Math.round(spent)} ms of a minute`);
  else if (changes > mostChanges) giveUp(`the page changed ${changes} times in a minute`);
}

function left() {
  if (returning) return;
  const last = before ? "" : chunk();
  if (last) send(last);
  const unsent = sendLast();
  leave({ ...state, unsent });
}

/** A page from the cache is shown before the one that was left has said how far the tab has come: some milliseconds, in Chromium. */
function comeBack(looks) {
  const { session } = viewNow();
  const kept = take();
  for (const text of kept.unsent) send(text);
  returning = kept.session !== session && looks > 0;
  if (returning) return setTimeout(() => comeBack(looks - 1), 50);
  state = kept.session === session ? kept : { tab: uuid(), session, sequence: 0 };
  resume();
}

function start(now) {
  if (over || stop) return;
  viewNow = now;
  const { session, quiet } = viewNow();
  const whole = share(session) < recorded;
  if (quiet || discreet || !app || !address || !canSend || !(whole || onError)) return;
  state = take();
  const { unsent } = state;
  onRefusal(giveUp);
  for (const text of unsent) send(text);
  if (state.session !== session) state = { tab: uuid(), session, sequence: 0 };
  before = whole ? null : [];
  began = performance.now();
  resume();
  if (!stop) return warn("this page cannot be recorded");
  // One picture of a large page may be too much already.
  weigh();
  setInterval(look, FLUSH);
  setInterval(weigh, 2_000);
  setInterval(() => {
    spentBefore = worked();
    changes = 0;
  }, MINUTE);
  addEventListener("error", (event) => event.message != null && failed());
  addEventListener("unhandledrejection", failed);
  const returned = () => {
    returnedTo = clean(location.href);
  };
  const { navigation } = globalThis;
  // Before the page changes: `popstate` comes later, and scripts send it too.
  if (navigation?.addEventListener) {
    listen(navigation, "currententrychange", ({ navigationType }) => navigationType === "traverse" && returned());
  } else {
    listen(globalThis, "popstate", ({ isTrusted }) => isTrusted && returned(), { capture: true });
  }
  // After the agent's own listener, whose beacon goes first: on a page that goes while it is visible, at its last change.
  listen(document, "visibilitychange", () => {
    if (isVisible()) resume();
    else if (leaving) left();
    else flush();
  });
  addEventListener("pagehide", () => {
    leaving = true;
    if (!isVisible()) left();
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    leaving = false;
    pause();
    comeBack(LOOKS);
  });
}

/** Begins when the page has nothing else to do; `now` tells the agent's view that is going on. */
export const watch = guarded((now) => requestIdle(guarded(() => start(now)), { timeout: 5_000 }));
