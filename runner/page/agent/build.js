// Bundles the page agent into one classic script: ../agent.js
import { build } from "esbuild";

await build({
  entryPoints: ["src/index.js"],
  outfile: "../agent.js",
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  legalComments: "eof",
  // Every use of these globals, in web-vitals too, becomes the native that was there before the site's first script.
  inject: ["src/natives.js"],
});
