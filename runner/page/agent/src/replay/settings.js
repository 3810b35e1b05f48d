// What the line that embeds the agent says about recording. docs/replay.md has all of it.
import { URL } from "../visitor/natives.js";
import { data, endpoint } from "../visitor/settings.js";

/** The share of visits that are recorded whole; others only around an error, if at all. */
export const share = +data.replay || 0;
export const onError = "replayOnError" in data;
/** Elements of which nothing is recorded but their size. */
export const block = ["[data-private]", ...(data.replayBlock?.split(",") ?? [])].join(",");
export const masksText = data.replayText === "mask";
export const masksInputs = data.replayInputs !== "show";
/** Milliseconds of the main thread that recording may take in a minute. */
export const mostWork = Math.min(+data.replayCost || 1_500, 10_000);
export const address = endpoint && new URL(data.replayEndpoint ?? "/v1/replay", endpoint).href;
