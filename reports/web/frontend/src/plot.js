// What all charts share: colours, axes, how figures are written.
import "./language.js";
import uPlot from "uplot";

const COLOURS = {
  light: ["#27684f", "#4c6fb5", "#b8612c", "#8a4fa3", "#5e7d1d", "#b03a64", "#1f7f8c", "#8a6d1d"],
  dark: ["#6fc3a0", "#8fb0f0", "#f0a06a", "#cf9bee", "#b4d06a", "#f08fb2", "#6fc9d6", "#e0c062"],
};

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = () => getComputedStyle(document.documentElement).colorScheme === "dark";
export const colour = (index) => COLOURS[dark() ? "dark" : "light"][index % 8];
export const shown = (value) => (value == null ? "–" : value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`);

// Increment, format from there on, and what is added where the year, day or minute turns: uPlot's own are in American form.
const TIMES = [
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

function axes() {
  const line = { stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") } };
  const values = (_, ticks) => ticks.map((one) => (one === 0 ? "0" : shown(one)));
  return [{ ...line, values: TIMES }, { ...line, values, size: 64 }];
}

// A legend always has values: while nothing is pointed at, the newest of each line.
function showNewest(chart) {
  const last = (values) => Math.max(values.findLastIndex((value) => value != null), 0);
  const idxs = chart.data.map((values) => last(values));
  if (chart.data[0].length) chart.setLegend({ idx: idxs[0], idxs }, false);
}

const newest = {
  hooks: { ready: [showNewest], setCursor: [(chart) => chart.cursor.idx == null && showNewest(chart)] },
};

export function options(target, series, more = {}) {
  return {
    width: Math.max(target.clientWidth, 280),
    height: more.height ?? 300,
    series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...series],
    axes: axes(),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    ...more,
    scales: { y: { range: (_, low, high) => [0, (high || 1) * 1.08] }, ...more.scales },
    plugins: [...(more.plugins ?? []), newest],
  };
}
