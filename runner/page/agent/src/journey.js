// The page agent: watches one document from before its first script, and answers when it is read.
// It is put into every document and frame of a journey's context. Nothing here may throw into the page.
import { now, origin } from "./clock.js";
import { checks, forgetChecks, noteChanges, watchChecks } from "./journey/checks.js";
import { watchDom } from "./journey/dom.js";
import { lastEffect } from "./journey/effects.js";
import { inputs, rearm, watchInput } from "./journey/input.js";
import { noteLoad } from "./journey/load.js";
import { binding, inNextTask, runsCallbacks, stringify } from "./journey/natives.js";
import { watchPaint } from "./journey/paint.js";
import { watchResponses } from "./journey/responses.js";
import { readSignals, SIGNALS } from "./journey/signals.js";
import { firstPaints, vitals, watchVitals } from "./journey/webVitals.js";
import { addEventListener, guarded, setTimeout, whenIdle } from "./natives.js";
import { navigationTiming } from "./journey/navigationTiming.js";

const AGENT = "__journeyAgent";
const REPORT = "__journeyReport";
// Put there by the runner (agent.py): whose page this is, for the agent of real users' pages, if the site has it.
const MARK = "__journeySynthetic";

let asked = 0;
const awaited = {};
/** Called by the runner with the number of a question and its answer. */
function answered([number, answer]) {
  awaited[number]?.(answer);
  delete awaited[number];
}

function start() {
  const report = binding(REPORT);
  const top = globalThis.top === globalThis;
  // Blank pages and the browser's own error page are not documents of the site.
  const site = top && location.protocol !== "about:" && location.protocol !== "chrome-error:";

  const mark = globalThis[MARK];
  // The name of the step that was under way at a moment, in milliseconds since the epoch; a promise, of the binding or of our own.
  if (mark && report) {
    mark.step = (at) => report(`{"asked":${at},"id":${++asked}}`) ?? new Promise((resolve) => (awaited[asked] = resolve));
  }

  const snapshot = () => ({
    origin,
    top,
    url: location.href,
    inputs: inputs(),
    navigation: site ? navigationTiming() : null,
    vitals: site ? vitals() : {},
    signals: readSignals(),
  });
  const send = () => {
    if (report) report(stringify(snapshot()));
  };

  // At once, because the event may lead to another document; and only the stamp, because the site's handlers are waiting.
  watchInput((first) => {
    if (report) report(stringify({ inputs: first }));
    beginVitals();
  });
  // No method of an array is called here or elsewhere in the agent: a site may have replaced those too.
  const expectPaint = watchPaint();
  const flushDom = watchDom((records) => {
    expectPaint();
    noteChanges(records);
  });
  watchChecks(flushDom);
  const flushes = [flushDom, watchResponses()];
  for (let i = 0; i < SIGNALS.length; i++) flushes[flushes.length] = SIGNALS[i].watch();
  let loaded = false;
  let waiting = false;
  let watching = !site;
  // Not while the document loads, which it would hold up: everything until then is still there afterwards.
  const beginVitals = guarded(() => {
    if (watching) return;
    watching = true;
    // Paints may come after the load event, and this document be replaced before anybody reads it again.
    watchVitals(() => {
      if (!loaded || waiting) return;
      waiting = true;
      setTimeout(() => {
        waiting = false;
        send();
      });
    });
  });
  if (site) {
    addEventListener("load", () => {
      // Before the end of the event has its time: a script that goes on at once may leave this document in its next task.
      if (report) report(stringify({ origin, top, url: location.href, navigation: navigationTiming() }));
      setTimeout(() => {
        loaded = true;
        send();
        whenIdle(beginVitals);
      });
    });
  }

  // One task later: a frame that has just been drawn notes itself first.
  let go = () => {};
  const nextTask = inNextTask(() => go());
  const callbacks = runsCallbacks();
  const read = async (since, until) => {
    if (callbacks) {
      await new Promise((resolve) => {
        go = resolve;
        nextTask();
      });
    }
    beginVitals();
    for (let i = 0; i < flushes.length; i++) flushes[i]();
    noteLoad();
    const answer = snapshot();
    answer.now = now();
    answer.effect = lastEffect(since, until);
    answer.checks = checks(since, until);
    rearm();
    forgetChecks();
    return stringify(answer);
  };
  const paint = () => {
    beginVitals();
    return firstPaints();
  };
  return { document, read, firstPaints: callbacks && site ? paint : undefined };
}

const known = globalThis[AGENT];
const agent = known ?? {};
if (!known) Object.defineProperty(globalThis, AGENT, { value: agent });

function begin() {
  if (agent.document === document) return;
  try {
    Object.assign(agent, start());
  } catch (error) {
    // A document without a working agent is timed by the stopwatch; the reader says so in the result.
    agent.document = document;
    agent.read = () => `{"problem":${stringify(String(error))}}`;
  }
}

// The first document of a popup is empty, and the next one may be given the same window, without the listeners and without
// a new run of this script: the runner calls `begin` again then (see agent.py).
agent.begin = begin;
agent.answered = answered;
begin();
