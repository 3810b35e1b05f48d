// Bundles the two agents into one classic script each: `journey.js` for the pages of a journey, `visitor.js` for real users'.
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Bytes of the agent for real users, compressed as the collector serves it. */
const MOST = 10 * 1024;

async function bundle(entry, around) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    format: "iife",
    target: "es2022",
    minify: true,
    legalComments: "eof",
    // Every use of these globals, in web-vitals too, becomes the native that was there before the site's first script.
    inject: ["src/natives.js"],
    ...around,
  });
  return outputFiles[0].contents;
}

const visitor = await bundle("src/visitor.js", {
  // Where a native is missing or broken, there is no agent, and the page does not hear of it.
  banner: { js: "try{" },
  footer: { js: "}catch{}" },
});
const size = gzipSync(visitor, { level: 9 }).length;
if (size > MOST) {
  console.error(`src/visitor.js makes ${size} bytes of gzip, and may make ${MOST}: real users load it on every page`);
  process.exit(1);
}
writeFileSync("../agent.js", await bundle("src/journey.js"));
writeFileSync("../../../reports/collector/agent.js", visitor);
console.log(`reports/collector/agent.js: ${visitor.length} bytes, ${size} with gzip`);
