// Preloaded into Playwright's driver: headers on the requests of a browser context to listed origins, and to no others.
//
// Headers of a whole context would go to third parties too, where each makes a preflight; Playwright's routing would turn the cache off. So
// Chromium pauses documents, `fetch` and XHR of the listed origins alone (domain Fetch, in a session of its own), and they are continued
// from here. What is added to a request does not go along with a redirect.
"use strict";

const KINDS = ["Document", "XHR", "Fetch"];

/** By contexts: the headers, the origins, and the targets that are watched, each with a promise. */
const headed = new WeakMap();

/** Whether an address is one of these origins; `*.` stands for any subdomain. Chromium's patterns match more: their `*` is a slash as well. */
function isListed(address, origins) {
  if (!URL.canParse(address)) return false;
  const { protocol, host } = new URL(address);
  return origins.some((origin) => {
    const [scheme, domain] = origin.split("://*.");
    return domain ? protocol === `${scheme}:` && host.endsWith(`.${domain}`) : `${protocol}//${host}` === origin;
  });
}

async function watch(settings, target) {
  const session = await settings.client.attachToTarget(target);
  session.on("event", ({ method, params }) => {
    if (method !== "Fetch.requestPaused") return;
    const { requestId, request } = params;
    const changed = { requestId };
    if (isListed(request.url, settings.origins)) {
      // A site that sends its own trace context knows its spans better.
      changed.headers = Object.entries({ ...settings.headers, ...request.headers }).map(([name, value]) => ({ name, value }));
    }
    // The page may have been closed, or have cancelled the request.
    session._send("Fetch.continueRequest", changed).catch(() => {});
  });
  const patterns = settings.origins.flatMap((origin) => KINDS.map((resourceType) => ({ urlPattern: `${origin}/*`, resourceType })));
  await session._send("Fetch.enable", { patterns });
}

/** A page, or a frame with a process of its own, has been opened in a context. */
function opened(context, target) {
  if (!context || !target) return;
  if (!headed.has(context)) headed.set(context, { targets: new Map() });
  const settings = headed.get(context);
  // One that is closed at once makes no requests.
  settings.targets.set(target, settings.client && watch(settings, target).catch(() => {}));
}

/** A promise of when the requests of a target get headers; undefined where none do. */
const ready = (context, target) => context && headed.get(context)?.targets.get(target);

/** Returns when all that is open sends them. */
async function set(client, context, origins, headers) {
  if (!headed.has(context)) headed.set(context, { targets: new Map() });
  const settings = Object.assign(headed.get(context), { client, origins, headers });
  for (const [target, watching] of settings.targets) if (!watching) opened(context, target);
  await Promise.all(settings.targets.values());
}

exports.opened = opened;
exports.ready = ready;
exports.set = set;
