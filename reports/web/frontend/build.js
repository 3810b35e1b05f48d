// Bundles the dashboard's scripts, and the styles of what they use, into ../static.
import { build } from "esbuild";

const shared = { outdir: "../static", bundle: true, target: "es2022", minify: true, legalComments: "eof" };
await build({ ...shared, entryPoints: ["src/page.js", "src/chart.js", "src/metrics.js", "src/replay.js"], format: "esm" });
// It describes elements as the agent does, whatever the browser of the one who looks on says about privacy.
const theirs = { "navigator.globalPrivacyControl": "false" };
await build({ ...shared, entryPoints: ["src/clicks.js"], format: "esm", define: theirs });
await build({ ...shared, entryPoints: { vendor: "uplot/dist/uPlot.min.css" } });
await build({ ...shared, entryPoints: { replayer: "@rrweb/replay/dist/style.css" }, loader: { ".svg": "dataurl" } });
