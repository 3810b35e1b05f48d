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
const MINUTE = 60_000;
/** A bound that a site may make smaller. */
const upTo = (most, given) => Math.min(given > 0 ? +given : most, most);
/** Milliseconds until it ends, and after which it pauses in a tab that nobody sees. */
export const longest = upTo(60, data.replayMinutes) * MINUTE;
export const idle = upTo(5, data.replayIdle) * MINUTE;
/** Characters that a page may send in all: its chunks before they are packed. */
export const mostCharacters = upTo(50_000_000, data.replayBytes);
/** Nodes that may come, go and change in a minute. */
export const mostChanges = upTo(100_000, data.replayChanges);
export const address = endpoint && new URL(data.replayEndpoint ?? "/v1/replay", endpoint).href;
