// Bundles rrweb's replayer and what asks it for elements into one classic script.
import { build } from "esbuild";

await build({
  entryPoints: ["src/rebuilding.js"],
  outfile: "../rebuilding.js",
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  legalComments: "eof",
  // The default entry of the package is its whole player; styles of that are not needed where nobody looks.
  loader: { ".css": "empty" },
});
