import { build } from "esbuild";

await build({ entryPoints: ["src/recorder.js"], outfile: "recorder.js", bundle: true, format: "iife", target: "es2022", minify: true });
