// Charts `page_load_time_seconds` straight from /metrics: fetched again and again, worked out here, drawn for each page.
import "./language.js";
import uPlot from "uplot";
import { histograms, increase, parse, quantile } from "./exposition.js";
import { colour, options, shown } from "./plot.js";

const NAME = "page_load_time_seconds";
const WINDOW = 60; // seconds that the rate and the percentiles over time cover
const KEPT = 1200; // readings
const PAGES = 24; // that are drawn, those with most loads
const WIDTH = 320;
const HEIGHT = 90;

const target = document.querySelector("[data-metrics]");
const state = document.querySelector("#metrics-state");
const readings = [];
let chart;

function element(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, text, className) {
  const made = document.createElement(name);
  if (text != null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const sum = (all) => {
  let whole = null;
  for (const one of all) {
    if (!whole) whole = { ...one, buckets: [...one.buckets] };
    else {
      whole.count += one.count;
      whole.buckets = whole.buckets.map((value, index) => value + (one.buckets[index] ?? 0));
    }
  }
  return whole;
};

// The reading that is a window old, or the oldest; none for the first.
function earlier(at, upTo = readings.length - 1) {
  let found = null;
  for (let index = upTo - 1; index >= 0; index -= 1) {
    found = readings[index];
    if (at - found.at >= WINDOW) break;
  }
  return found;
}

function bars(one) {
  const last = one.edges.length - 1;
  const each = WIDTH / one.edges.length;
  const highest = Math.max(...one.buckets, 1);
  const drawing = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 18}`, class: "histogram small-histogram", role: "img", "aria-label": `Load times of ${one.labels[1]}: median ${shown(quantile(0.5, one.edges, one.buckets))}` });
  one.buckets.forEach((count, index) => {
    const tall = (HEIGHT * count) / highest;
    const kind = one.edges[index] <= 2.5 ? "good" : one.edges[index] <= 4 ? "fair" : "poor";
    const words = index === last ? `above ${one.edges[last - 1]} s` : `up to ${one.edges[index]} s`;
    const bar = element("rect", { class: kind, x: index * each, y: HEIGHT - tall, width: each - 1.5, height: tall });
    const title = element("title", {});
    title.textContent = `${words}: ${count}`;
    bar.append(title);
    drawing.append(bar);
    if (index < last && index % 2 === 1) {
      const label = element("text", { x: (index + 1) * each, y: HEIGHT + 13, "text-anchor": "middle" });
      label.textContent = `${one.edges[index]}`;
      drawing.append(label);
    }
  });
  drawing.append(element("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }));
  return drawing;
}

function draw() {
  const newest = readings.at(-1);
  const before = earlier(newest.at);
  const all = [...newest.pages.values()].filter((one) => one.count).sort((a, b) => b.count - a.count);
  const several = new Set(all.map((one) => one.labels[0])).size > 1;
  target.replaceChildren();
  for (const one of all.slice(0, PAGES)) {
    const box = html("figure");
    box.dataset.page = one.labels[1];
    const caption = html("figcaption");
    caption.append(html("strong", one.labels[1]));
    if (several) caption.append(" ", html("span", one.labels[0], "soft"));
    const key = JSON.stringify(one.labels);
    const seconds = before ? newest.at - before.at : 0;
    const rate = seconds ? (increase(one, before.pages.get(key)).count / seconds) * 60 : null;
    const figures = [
      `${one.count} ${one.count === 1 ? "load" : "loads"}`,
      `p50 ${shown(quantile(0.5, one.edges, one.buckets))}`,
      `p95 ${shown(quantile(0.95, one.edges, one.buckets))}`,
      rate == null ? "rate –" : `${rate.toFixed(1)} a minute`,
    ];
    box.append(caption, html("div", figures.join(" · "), "soft small"), bars(one));
    target.append(box);
  }
  if (!all.length) target.append(html("p", `No page has reported a load time since the collector started: /metrics has no ${NAME} yet.`, "empty"));
  if (all.length > PAGES) target.append(html("p", `${all.length - PAGES} more pages are not drawn.`, "soft"));
  lines();
}

// Over time, of all pages: each point is what was added in the window before it.
function lines() {
  const box = document.querySelector("#metrics-lines");
  const times = [];
  const values = [[], [], []];
  readings.forEach((one, index) => {
    const before = earlier(one.at, index);
    if (!before) return;
    const whole = sum([...one.pages].map(([key, page]) => increase(page, before.pages.get(key))));
    times.push(one.at);
    values[0].push(whole ? quantile(0.5, whole.edges, whole.buckets) : null);
    values[1].push(whole ? quantile(0.95, whole.edges, whole.buckets) : null);
    values[2].push(whole ? (whole.count / (one.at - before.at)) * 60 : null);
  });
  chart?.destroy();
  chart = undefined;
  if (!times.length) return;
  const names = ["p50", "p95"];
  const series = names.map((label, index) => ({ label, stroke: colour(index), width: 1.8, points: { show: times.length < 60, size: 5 }, value: (_, value) => shown(value) }));
  series.push({ label: "loads a minute", scale: "rate", stroke: colour(2), width: 1.4, dash: [5, 4], points: { show: false }, value: (_, value) => (value == null ? "–" : value.toFixed(1)) });
  const drawn = options(box, series, { height: 240 });
  drawn.scales.rate = { range: (_, low, high) => [0, (high || 1) * 1.2] };
  drawn.axes.push({ scale: "rate", side: 1, stroke: drawn.axes[1].stroke, grid: { show: false }, size: 56, values: (_, ticks) => ticks.map((one) => `${one}`) });
  chart = new uPlot(drawn, [times, ...values], box);
}

async function read() {
  try {
    const answer = await fetch(target.dataset.metrics, { headers: { Accept: "text/plain" } });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    readings.push({ at: Date.now() / 1000, pages: histograms(parse(await answer.text()), NAME, ["app", "page"]) });
    if (readings.length > KEPT) readings.shift();
    state.textContent = `read ${new Date().toISOString().slice(11, 19)} UTC, again every ${target.dataset.every} s`;
    state.classList.remove("fair");
    draw();
  } catch (error) {
    state.textContent = `${target.dataset.metrics} cannot be read: ${error.message}; is the collector in this server? It is tried again.`;
    state.classList.add("fair");
  }
}

addEventListener("theme", () => readings.length && draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => readings.length && draw());
addEventListener("resize", () => readings.length && lines());
read();
setInterval(() => document.hidden || read(), Number(target.dataset.every) * 1000);
