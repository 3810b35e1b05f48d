// Preloaded into Playwright's driver: the chains of certificates of the hosts that a browser context meets, as Chromium has verified them.
//
// Playwright tells of the first certificate only. Chromium forgets the others with the document that was answered, so it is asked at
// the first answer of each host, from here: nobody waits for that.
"use strict";

/** The most hosts of a context; the same as HOSTS in runner/telemetry/certificates.py. */
const MOST = 50;
/** Milliseconds in which what has been asked is answered. */
const PATIENCE = 1_000;

/** By contexts: a promise of the certificates of each host, in base64 of DER. */
const chains = new WeakMap();

/** An answer has come in a session of a context; `ask` sends to the browser. */
function answered(context, { url, securityDetails }, ask) {
  if (!context || !securityDetails || !URL.canParse(url)) return;
  const { host, origin, protocol } = new URL(url);
  if (protocol !== "https:") return;
  if (!chains.has(context)) chains.set(context, new Map());
  const known = chains.get(context);
  if (known.has(host) || known.size >= MOST) return;
  // A session that ends meanwhile says nothing.
  known.set(host, ask("Network.getCertificate", { origin }).then(({ tableNames }) => tableNames, () => []));
}

/** The chain of each host, the host's own certificate first. */
async function read(context) {
  const late = new Promise((resolve) => {
    setTimeout(resolve, PATIENCE, []).unref();
  });
  const found = [...(chains.get(context) ?? [])].map(async ([host, chain]) => [host, await Promise.race([chain, late])]);
  return Object.fromEntries(await Promise.all(found));
}

exports.answered = answered;
exports.read = read;
