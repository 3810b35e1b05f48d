// Preloaded into Playwright's driver: a channel between the page agents of a browser context and the runner (see page_channel.py), which
// takes neither a script of Playwright's in each document nor a round trip for each message. What the agents report is kept here until
// the runner asks; it asks all documents at once, by `send` of a CDP session, with methods that Chromium does not have.
"use strict";
const certificates = require("./certificates.cjs");
const decodedSizes = require("./decoded_sizes.cjs");
const instruments = require("./instruments.cjs");
const traceHeaders = require("./trace_headers.cjs");

/** Stands in one of the context's init scripts, with its id; the same as MARK in page_channel.py. */
const MARK = /\/\/ journey: channel=(\S+)/;
/** A function of every document in such a context, to be called with a text; the same as REPORT in page_channel.py. */
const REPORT = "__journeyReport";
/** What a question begins with that an agent asks the runner. */
const ASKS = '{"asked":';
/** The most reports, and characters of reports, that are kept between two readings: a page can call the function as well. */
const MOST = 2_000;
const MOST_CHARACTERS = 16_000_000;
/** The interval before a document is asked that has taken the place of another, in ms. */
const REPLACED = 20;

/** Objects of the driver by their ids, which keeps none of them alive. */
class Known {
  constructor() {
    this.known = new Map();
    this.gone = new FinalizationRegistry((id) => this.known.delete(id));
  }

  add(object) {
    this.known.set(object.guid, new WeakRef(object));
    this.gone.register(object, object.guid);
  }

  get(id) {
    return this.known.get(id)?.deref();
  }
}
const contexts = new Known();
const responses = new Known();
/** What the agents of a context have reported. */
const mailboxes = new WeakMap();
/** The ids of the contexts of marked sessions. */
const marked = new WeakMap();
/** What sessions are attached to. */
const targets = new Map();

class Mailbox {
  constructor() {
    this.empty();
    this.questions = [];
    this.client = undefined;
  }

  empty() {
    this.reports = [];
    this.characters = 0;
    this.dropped = 0;
  }

  take() {
    const { reports, dropped } = this;
    this.empty();
    return { reports, dropped };
  }

  put(report) {
    if (this.reports.length >= MOST || this.characters + report.length > MOST_CHARACTERS) {
      this.dropped++;
      return;
    }
    this.reports.push(report);
    this.characters += report.length;
  }

  ask(question) {
    if (this.questions.length < MOST) this.questions.push(question);
    this.pass();
  }

  /** Passes on what agents have asked, as soon as somebody listens. */
  pass() {
    if (!this.client) return;
    for (const question of this.questions.splice(0)) this.client.emit("event", { method: "Journey.asked", params: question });
  }
}

function mailboxOf(id) {
  const context = contexts.get(id);
  if (!context) return undefined;
  if (!mailboxes.has(context)) mailboxes.set(context, new Mailbox());
  return mailboxes.get(context);
}

/** Called with each object of the driver as it is made. */
function constructed(object) {
  if ("needsPlaywrightBinding" in object) contexts.add(object);
  else if ("internalSizes" in object) {
    responses.add(object);
    decodedSizes.constructed(object);
  }
}

/** `CRSession`: one document tree of a page, or more. */
function changeSession(prototype) {
  const { send, _onMessage } = prototype;
  prototype.send = function (method, parameters) {
    if (method === "Page.addScriptToEvaluateOnNewDocument" && !marked.has(this)) {
      const id = MARK.exec(parameters.source)?.[1];
      if (id) {
        marked.set(this, id);
        decodedSizes.watch(this);
        instruments.opened(contexts.get(id), this, (...request) => send.apply(this, request));
        traceHeaders.opened(contexts.get(id), targets.get(this._sessionId));
        // Before the script that may run at once; a session that has ended has no documents.
        send.call(this, "Runtime.addBinding", { name: REPORT }).catch(() => {});
      }
    }
    if (method === "Runtime.runIfWaitingForDebugger" && marked.has(this)) {
      // What opens waits until its first request can get headers.
      const ready = traceHeaders.ready(contexts.get(marked.get(this)), targets.get(this._sessionId));
      if (ready) return ready.then(() => send.call(this, method, parameters));
    }
    return send.call(this, method, parameters);
  };
  const { dispose } = prototype;
  prototype.dispose = function () {
    targets.delete(this._sessionId);
    return dispose.call(this);
  };
  prototype._onMessage = function (message) {
    if (message.method === "Target.attachedToTarget") targets.set(message.params.sessionId, message.params.targetInfo.targetId);
    if (message.method === "Network.responseReceived" && marked.has(this)) {
      certificates.answered(contexts.get(marked.get(this)), message.params.response, (...request) => send.apply(this, request));
    }
    if (message.method !== "Runtime.bindingCalled" || message.params.name !== REPORT) return _onMessage.call(this, message);
    const { payload, executionContextId } = message.params;
    const mailbox = mailboxOf(marked.get(this));
    if (payload.startsWith(ASKS)) mailbox?.ask({ context: marked.get(this), session: this._sessionId, document: executionContextId, asked: payload });
    else mailbox?.put(payload);
  };
}

/** One document's answer: what an expression is there, in its own world. Another document may have taken its place meanwhile. */
async function evaluate(frame, expression, until) {
  for (;;) {
    try {
      const context = await frame.mainContext();
      const { _client: client, _contextId: contextId } = context.delegate;
      const call = client.send("Runtime.evaluate", { expression, contextId, awaitPromise: true, returnByValue: true });
      // What a document that has gone had promised is answered when its garbage is collected.
      const { result, exceptionDetails: failed } = await context.raceAgainstContextDestroyed(call);
      return failed ? { error: failed.exception?.description ?? failed.text } : { value: result.value ?? null };
    } catch (error) {
      // As Chromium and Playwright say that the document is gone.
      const replaced = /context|navigated|closed/i.test(error.message) && !frame._isDetached() && performance.now() < until;
      if (!replaced) return { error: error.message };
      await new Promise((resolve) => setTimeout(resolve, REPLACED));
    }
  }
}

function within(ms, answer) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, { late: true });
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** All answers at once, each within its time, in ms, and what was reported until then. A frame that is gone has a null. */
async function ask(client, { context: id, questions }) {
  const mailbox = mailboxOf(id);
  if (!mailbox) throw new Error("the context is closed");
  mailbox.client = client;
  mailbox.pass();
  const frames = new Map();
  for (const page of contexts.get(id).pages()) for (const frame of page.frames()) frames.set(frame.guid, frame);
  const answers = questions.map(({ frame: one, expression, ms }) => {
    const frame = frames.get(one);
    if (!frame) return null;
    return within(ms, evaluate(frame, expression, performance.now() + ms).catch(({ message }) => ({ error: message })));
  });
  return { answers: await Promise.all(answers), ...mailbox.take() };
}

/** Evaluates an expression in the document that has asked, with the answer in it. */
function answer(client, { session, document, expression }) {
  const asking = client._session._connection._sessions.get(session);
  return asking?.send("Runtime.evaluate", { expression, contextId: document });
}

/** The bytes of each response's headers and body as they came, and of its body decoded; null where nobody knows. */
async function measure(_, { responses: ids }) {
  const measured = async (id) => {
    const response = responses.get(id);
    const { responseHeadersSize, responseBodySize } = await response.internalSizes();
    return [responseHeadersSize + responseBodySize, decodedSizes.of(response)];
  };
  return { sizes: await Promise.all(ids.map((id) => measured(id).catch(() => null))) };
}

/** From now on requests of the context to these origins have these headers. */
function setHeaders(client, { context: id, origins, headers }) {
  const context = contexts.get(id);
  if (!context) throw new Error("the context is closed");
  return traceHeaders.set(client, context, origins, headers);
}

/** From now on each session of the context gets these commands before it loads anything. */
function instrument(_, { context: id, name, ...parts }) {
  const context = contexts.get(id);
  if (!context) throw new Error("the context is closed");
  instruments.start(context, name, parts);
}

function collect(_, { context, name, commands }) {
  return instruments.collect(contexts.get(context), name, commands);
}

/** The certificates of each host that the context has met over HTTPS, as base64 of DER. */
async function readCertificates(_, { context }) {
  return { chains: await certificates.read(contexts.get(context)) };
}

const METHODS = { "Journey.ask": ask, "Journey.answer": answer, "Journey.measure": measure, "Journey.setHeaders": setHeaders, "Journey.readCertificates": readCertificates, "Journey.instrument": instrument, "Journey.collect": collect };

/** `CDPSession`, of the API. */
function changeClient(prototype) {
  const { send } = prototype;
  prototype.send = async function (progress, method, parameters) {
    if (!Object.hasOwn(METHODS, method)) return send.call(this, progress, method, parameters);
    return (await progress.race(METHODS[method](this, parameters))) ?? {};
  };
}

exports.CHANGES = [["createChildSession", changeSession], ["attachToTarget", changeClient]];
exports.constructed = constructed;
