// Who walks through this page, when it is a journey and no visitor: the runner leaves a mark in every document.
import { cut } from "./shape.js";

const given = globalThis.__journeySynthetic;

/** `{journey, run, location}`, or nothing. */
export const mark = given?.mark;

/** Calls `told` with the name of the step that is under way at a moment, in milliseconds since the epoch. */
export const askStep = (at, told) => given?.step?.(at).then((name) => told(cut(name, 200)), () => {});
