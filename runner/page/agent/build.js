// Bundles the two agents into one classic script each: `journey.js` for the pages of a journey, `visitor.js` for real users'; what
// the latter loads later, `clicks.js`; and the recorder of what is seen, a module for real users' pages and a classic script for a journey's; and what puts headers on requests, of both.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
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
    plugins: [changed],
    ...around,
  });
  return outputFiles[0].contents;
}

const CLOCK = `
export const stopwatch = {
  spent: 0,
  running: false,
  time(f, rest) {
    if (this.running) return f(...rest);
    const began = performance.now();
    this.running = true;
    try {
      return f(...rest);
    } finally {
      this.running = false;
      this.spent += performance.now() - began;
    }
  },
};
`;
/** What packages are given that they cannot do themselves: `[file, its text, ours, what for]`. */
const RRWEB = "@rrweb/record/dist/record.js";
const VITALS = "web-vitals/dist/modules/";
const UNUSED = "what nobody reads, a rating and the difference from the last value, is not loaded by every visitor";
const CHANGES = [
  [RRWEB, "      return cb(...rest);\n", "      return stopwatch.time(cb, rest);\n", "all that the browser calls is timed: every callback goes through one function"],
  // It takes two methods for accessors, finds that nobody's prototype has them, and puts a frame into every page to have a better one.
  [RRWEB, '  Element: ["shadowRoot", "querySelector", "querySelectorAll"],\n', '  Element: ["shadowRoot"],\n', "no frame is put into a page whose prototypes are as the browser made them"],
  [`${VITALS}lib/bindReporter.js`, "                    metric.delta = delta;\n                    metric.rating = getRating(metric.value, thresholds);\n", "", UNUSED],
  [`${VITALS}lib/initMetric.js`, "        delta: 0,\n", "", UNUSED],
  ...[["CLS", "[0.1, 0.25]"], ["FCP", "[1800, 3000]"], ["INP", "[200, 500]"], ["LCP", "[2500, 4000]"]].map(([name, edges]) =>
    [`${VITALS}on${name}.js`, `${name}Thresholds = ${edges};`, `${name}Thresholds = 0;`, UNUSED]),
];
const changed = {
  name: "changed",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](@rrweb[\\/]record|web-vitals)[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const posix = path.replaceAll("\\", "/");
      let source = readFileSync(path, "utf8");
      for (const [file, theirs, ours, what] of CHANGES) {
        if (!posix.endsWith(file)) continue;
        if (source.split(theirs).length !== 2) throw new Error(`${path} has changed: find another way so that ${what}`);
        source = source.replace(theirs, () => ours);
      }
      return { contents: posix.endsWith(RRWEB) ? source + CLOCK : source, loader: "js" };
    });
  },
};

/** What web-vitals keeps for itself; rrweb has names like these that others read. */
const OWN = { mangleProps: /^_[a-z]/ };

const visitor = await bundle("src/visitor.js", {
  ...OWN,
  // Where a native is missing or broken, there is no agent, and the page does not hear of it.
  banner: { js: "try{" },
  footer: { js: "}catch{}" },
});
const size = gzipSync(visitor, { level: 9 }).length;
if (size > MOST) {
  console.error(`src/visitor.js makes ${size} bytes of gzip, and may make ${MOST}: real users load it on every page`);
  process.exit(1);
}
writeFileSync("../agent.js", await bundle("src/journey.js", OWN));
writeFileSync("../../../reports/collector/agent.js", visitor);
console.log(`reports/collector/agent.js: ${visitor.length} bytes, ${size} with gzip`);

const clicks = await bundle("src/clicks.js", { format: "esm" });
writeFileSync("../../../reports/collector/clicks.js", clicks);
console.log(`reports/collector/clicks.js: ${clicks.length} bytes, ${gzipSync(clicks, { level: 9 }).length} with gzip`);

const trace = await bundle("src/trace.js", { inject: [], banner: { js: "try{" }, footer: { js: "}catch{}" } });
writeFileSync("../../../reports/collector/trace.js", trace);
console.log(`reports/collector/trace.js: ${trace.length} bytes, ${gzipSync(trace, { level: 9 }).length} with gzip`);

writeFileSync("../trace.js", await bundle("src/journeyTrace.js", { inject: [], banner: { js: "try{" }, footer: { js: "}catch{}" } }));

const recorder = { inject: [] };
const replay = await bundle("src/replay.js", { ...recorder, format: "esm" });
writeFileSync("../../../reports/collector/replay.js", replay);
writeFileSync("../replay.js", await bundle("src/journeyReplay.js", recorder));
console.log(`reports/collector/replay.js: ${replay.length} bytes, ${gzipSync(replay, { level: 9 }).length} with gzip`);

// What is run in pages to check them for accessibility, as its authors have built it.
copyFileSync("node_modules/axe-core/axe.min.js", "../axe.js");
