// Preloaded into Playwright's driver: Chromium's profilers, in each session of a context's pages from before its first document on.
// A session that Playwright's API opens is there only when the page has begun to load.
"use strict";

/** The most events that are kept of one session between two readings. */
const MOST = 10_000;
/** Milliseconds that a session has to answer. */
const PATIENCE = 10_000;

/** By contexts: what is wanted of their sessions, by name. */
const wanted = new WeakMap();

function start(context, name, { commands, events = [] }) {
  if (!wanted.has(context)) wanted.set(context, new Map());
  wanted.get(context).set(name, { commands, events, sessions: [] });
}

/** A session of a context that has not loaded anything; `send` sends to it. */
function opened(context, session, send) {
  for (const { commands, events, sessions } of wanted.get(context)?.values() ?? []) {
    const one = { id: sessions.length, send, events: [] };
    sessions.push(one);
    for (const event of events) {
      session.on(event, (parameters) => {
        if (one.events.length < MOST) one.events.push([event, parameters]);
      });
    }
    // What a session of another kind does not have, it refuses; one that has ended says nothing.
    for (const [method, parameters] of commands) send(method, parameters ?? {}).catch(() => {});
  }
}

/** What each session answers to the commands (null to what it refuses), and its events since the last time. */
async function collect(context, name, commands) {
  const { sessions = [] } = wanted.get(context)?.get(name) ?? {};
  const late = new Promise((resolve) => {
    setTimeout(resolve, PATIENCE, null).unref();
  });
  const ask = async ({ id, send, events }) => {
    const answers = commands.map(([method, parameters]) => send(method, parameters ?? {}).catch(() => null));
    const found = await Promise.all(answers.map((one) => Promise.race([one, late])));
    return { id, answers: found, events: events.splice(0) };
  };
  return { sessions: await Promise.all(sessions.map(ask)) };
}

exports.start = start;
exports.opened = opened;
exports.collect = collect;
