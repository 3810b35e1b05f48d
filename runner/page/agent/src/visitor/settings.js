// What the line that embeds the agent says in its `data-` attributes. docs/real-users.md has them all.
import { URL } from "./natives.js";

export const script = document.currentScript ?? document.querySelector("script[data-app]");
export const data = script?.dataset ?? {};

export const warn = (text) => console.warn(`journey agent: ${text}`);

function number(name, otherwise, most) {
  const given = data[name] ?? otherwise;
  if (given !== "" && given >= 0 && given <= most) return +given;
  warn(`data-${name} "${given}" is not between 0 and ${most}`);
  return otherwise;
}

export const { app, key, environment, release } = data;
/** Keys that may stay in addresses. */
export const query = new Set(data.query?.split(/[\s,]+/));
export const sample = /* @__PURE__ */ number("sample", 1, 1);
/** Milliseconds from which on a request is slow. */
export const slow = /* @__PURE__ */ number("slow", 1, 3600) * 1000;
export const titles = data.titles === "on";
/** Whether the visitor has set in the browser that nothing about them may be sold or shared. */
export const discreet = navigator.globalPrivacyControl === true && data.gpc !== "ignore";
export const stores = !discreet && data.storage !== "off";
export const endpoint = script && new URL(data.endpoint ?? "/v1/views", (!data.endpoint && script.src) || location.href).href;
