// Series over time with uPlot: the data is in the page as JSON; the table beside the chart has the same figures.
import "./language.js";
import uPlot from "uplot";
import { colour, css, options, shown } from "./plot.js";

const PHASES = { redirect: 0, dns: 1, connect: 2, tls: 3, request: 4, response: 5, dom: 6, load: 7, resolve: 1, check: 4, processing: 5, transfer: 6 };
// The time axis is the span of the page: neither of what lies outside it, nor of the future.
const over = (data) => ({ range: () => [data.from, data.to] });
const read = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");

let charts = [];

function stacked(lists) {
  const sums = [];
  return lists.map((list) => list.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0))));
}

const LABEL = 12;
const across = (chart, at) => Math.round(chart.valToPos(at, "x", true));

function line(ctx, fromX, fromY, toX, toY) {
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}

// What did not pass is marked across the whole height (of a span: the stronger, the more of its runs), what was measured on a
// crowded machine by a hollow dot at the bottom.
function drawMarks(chart, data) {
  const { ctx, bbox } = chart;
  ctx.strokeStyle = css("--poor");
  ctx.lineWidth = 1.5;
  for (const [at, share] of data.bad) {
    const x = across(chart, at);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.globalAlpha = 0.2 + 0.4 * share;
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
  ctx.fillStyle = css("--paper");
  ctx.strokeStyle = css("--soft");
  for (const at of data.crowded) {
    const x = across(chart, at);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.arc(x, bbox.top + bbox.height - 5, 3.5, 0, Math.PI * 2);
    ctx.fill();
    ctx.stroke();
  }
}

// The first run of each release; a name is written where there is room beside the one before.
function drawReleases(chart, data) {
  const { ctx, bbox } = chart;
  const scale = devicePixelRatio;
  ctx.strokeStyle = ctx.fillStyle = css("--ink");
  ctx.lineWidth = scale;
  ctx.font = `${LABEL * scale}px system-ui, sans-serif`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  let free = bbox.left;
  const end = bbox.left + bbox.width;
  for (const [at, name] of data.releases) {
    const x = across(chart, at);
    if (x < bbox.left || x > end) continue;
    ctx.setLineDash([2 * scale, 3 * scale]);
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
    const text = name.length > 18 ? `${name.slice(0, 17)}…` : name;
    const width = ctx.measureText(text).width;
    const left = Math.min(x, end - width);
    if (left < free) continue;
    ctx.fillText(text, left, bbox.top - 2 * scale);
    free = left + width + 8 * scale;
  }
  ctx.setLineDash([]);
}

// A step's budget, from side to side in the step's colour; one that is far above all that was measured is left to the table.
function drawBudgets(chart, data) {
  const { ctx, bbox } = chart;
  ctx.setLineDash([6, 5]);
  ctx.lineWidth = 1.2;
  ctx.font = `${LABEL * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  const written = [];
  data.series.forEach((one, index) => {
    if (one.budget == null || one.budget > chart.scales.y.max || chart.series[index + 1].show === false) return;
    const y = chart.valToPos(one.budget, "y", true);
    ctx.strokeStyle = ctx.fillStyle = colour(index);
    line(ctx, bbox.left, y, bbox.left + bbox.width, y);
    const height = LABEL * devicePixelRatio;
    if (written.some((other) => Math.abs(other - y) < height)) return;
    written.push(y);
    ctx.fillText(`budget of ${one.name}`.slice(0, 40), bbox.left + 4, y - 2);
  });
  ctx.setLineDash([]);
}

function marks(data, form) {
  return {
    hooks: {
      draw: [
        (chart) => {
          const { ctx } = chart;
          ctx.save();
          drawMarks(chart, data);
          drawReleases(chart, data);
          if (form !== "stacked") drawBudgets(chart, data);
          ctx.restore();
        },
      ],
    },
  };
}

// In sight: all that is measured of the steps that are shown, and each of their budgets that is not more than twice as high.
const reach = (data) => (chart, _, high) => {
  const budgets = data.series.filter((__, index) => chart.series[index + 1]?.show !== false).map((one) => one.budget ?? 0);
  return [0, Math.max(high || 0, ...budgets.filter((budget) => budget <= 2 * (high || 0)), 1e-3) * 1.08];
};

function drawSteps(target) {
  const data = read(target.dataset.chart);
  if (!data || !data.times.length) return;
  const section = target.closest("section");
  const form = section.querySelector("input[name=form]:checked")?.value ?? "lines";
  const tails = section.querySelector("input[name=tails]")?.checked;
  const middle = data.series.map((one) => one.p50);
  const values = form === "stacked" ? stacked(middle) : middle.slice();
  const series = data.series.map((one, index) => ({
    label: one.name,
    stroke: colour(index),
    width: 1.8,
    spanGaps: false,
    points: { show: data.times.length < 80, size: 5 },
    fill: form === "stacked" ? `${colour(index)}55` : undefined,
    value: (_, __, ___, at) => (at == null ? "" : shown(middle[index][at])),
  }));
  let bands;
  if (form === "stacked") bands = values.slice(1).map((_, index) => ({ series: [index + 2, index + 1] }));
  if (tails && form !== "stacked") {
    data.series.forEach((one, index) => {
      series.push({ label: `${one.name} p95`, stroke: colour(index), width: 1, dash: [5, 4], points: { show: false }, value: (_, value) => shown(value) });
      values.push(one.p95);
    });
  }
  const more = { bands, plugins: [marks(data, form)], scales: { x: over(data) } };
  if (form !== "stacked") more.scales.y = { range: reach(data) };
  if (data.releases.length) more.padding = [20, null, null, null];
  const chart = new uPlot(options(target, series, more), [data.times, ...values], target);
  chart.over.addEventListener("click", () => {
    const run = chart.cursor.idx == null ? null : data.runs[chart.cursor.idx];
    if (run) location.href = `${target.dataset.root ?? ""}/runs/${run}`;
  });
  charts.push(chart);
}

function drawPhases(target) {
  const data = read(target.dataset.phases);
  for (const [step, one] of Object.entries(data?.steps ?? {})) {
    const title = document.createElement("h3");
    title.textContent = step;
    const box = document.createElement("div");
    box.className = "chart small-chart";
    target.append(title, box);
    const names = data.phases.filter((phase) => one.values[phase].some((value) => value > 0));
    const values = stacked(names.map((phase) => one.values[phase]));
    const series = names.map((phase) => ({
      label: phase,
      stroke: colour(PHASES[phase]),
      fill: `${colour(PHASES[phase])}55`,
      width: 1,
      points: { show: one.times.length < 2, size: 5 },
      value: (_, __, ___, at) => (at == null ? "" : shown(one.values[phase][at])),
    }));
    const bands = values.slice(1).map((_, index) => ({ series: [index + 2, index + 1] }));
    charts.push(new uPlot(options(box, series, { height: 180, bands, scales: { x: over(data) } }), [one.times, ...values], box));
  }
  if (!target.children.length) target.textContent = target.dataset.empty ?? "";
}

// Thresholds of a metric, from side to side: below the first is good, above the second poor.
function limits(data) {
  return {
    hooks: {
      draw: [
        ({ ctx, bbox, valToPos, scales }) => {
          ctx.save();
          ctx.lineWidth = 1.2;
          ctx.setLineDash([6, 5]);
          ctx.font = `${LABEL * devicePixelRatio}px system-ui, sans-serif`;
          ctx.textBaseline = "bottom";
          ctx.textAlign = "left";
          (data.limits ?? []).forEach((limit, index) => {
            if (limit > scales.y.max) return;
            const y = valToPos(limit, "y", true);
            ctx.strokeStyle = ctx.fillStyle = css(index ? "--poor" : "--fair");
            ctx.fillText(index ? "poor above" : "good up to here", bbox.left + 4, y - 2);
            ctx.beginPath();
            ctx.moveTo(bbox.left, y);
            ctx.lineTo(bbox.left + bbox.width, y);
            ctx.stroke();
          });
          ctx.restore();
        },
      ],
    },
  };
}

const FORMS = { seconds: shown, score: (value) => (value == null ? "–" : value.toFixed(3)), ratio: (value) => (value == null ? "–" : `${value.toFixed(2)} ×`) };

// Lines, and dots for values that stand for little.
function drawLines(target) {
  const data = read(target.dataset.lines);
  target.replaceChildren();
  if (!data || !data.times.length) {
    target.textContent = "No data in this time range.";
    return;
  }
  const form = FORMS[data.unit] ?? shown;
  const lines = data.lines.filter((one) => one.values.some((value) => value != null));
  const series = lines.map((one, index) => ({
    label: one.name,
    stroke: colour(one.colour ?? (one.dots ? 0 : index)),
    width: one.dots ? 0 : 1.8,
    spanGaps: false,
    paths: one.dots ? () => null : undefined,
    points: one.dots ? { show: true, size: 5, fill: css("--paper") } : { show: data.times.length < 80, size: 5 },
    value: (_, value) => form(value),
  }));
  // The first threshold is always in sight; the second where the values come near it.
  const scales = { y: { range: (_, low, high) => [0, Math.max(high || 0, data.limits?.[0] ?? 0, 1e-3) * 1.08] } };
  if (data.from) scales.x = over(data);
  const more = { scales, height: target.dataset.height ? Number(target.dataset.height) : 200, plugins: [limits(data)] };
  const drawn = options(target, series, more);
  drawn.axes[1] = { ...drawn.axes[1], values: (_, ticks) => ticks.map((one) => (one === 0 ? "0" : form(one))) };
  charts.push(new uPlot(drawn, [data.times, ...lines.map((one) => one.values)], target));
}

function draw() {
  for (const chart of charts) chart.destroy();
  charts = [];
  for (const target of document.querySelectorAll("[data-chart]")) drawSteps(target);
  for (const target of document.querySelectorAll("[data-lines]")) drawLines(target);
  for (const target of document.querySelectorAll("[data-phases]")) {
    target.replaceChildren();
    drawPhases(target);
  }
}

draw();
document.addEventListener("change", (event) => {
  const switches = event.target.closest?.(".switches");
  if (!switches) return;
  draw();
  // The address says what is shown, and so do the links to other spans.
  const chosen = [...switches.querySelectorAll("input")].map((one) => [one.name, one.checked && one.value !== "lines" ? one.value : ""]);
  for (const link of [location, ...document.querySelectorAll(".chips a")]) {
    const address = new URL(link.href);
    for (const [name] of chosen) address.searchParams.delete(name);
    for (const [name, value] of chosen) if (value) address.searchParams.set(name, value);
    if (link === location) history.replaceState(null, "", address);
    else link.href = address.href;
  }
});
addEventListener("theme", draw);
addEventListener("taken", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  draw();
});
