// Bundles Faro as the agent is bundled: faro.js
import { build } from "esbuild";

await build({
  entryPoints: ["entry.js"],
  outfile: "faro.js",
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
});
