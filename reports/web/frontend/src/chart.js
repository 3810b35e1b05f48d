// Series over time with uPlot: the data stands in the page as JSON, the table beside the chart has the same figures.
import uPlot from "uplot";
import { colour, css, options, shown } from "./plot.js";

const PHASES = { redirect: 0, dns: 1, connect: 2, tls: 3, request: 4, response: 5, dom: 6, load: 7 };
const read = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");

let charts = [];

function stacked(lists) {
  const sums = [];
  return lists.map((list) => list.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0))));
}

// Runs that did not pass are marked across the whole height, runs on a crowded machine by a hollow dot.
function marks(data) {
  return {
    hooks: {
      draw: [
        (chart) => {
          const { ctx, bbox } = chart;
          ctx.save();
          ctx.strokeStyle = css("--poor");
          ctx.globalAlpha = 0.55;
          ctx.lineWidth = 1.5;
          data.times.forEach((at, index) => {
            if (!data.status[index] || data.status[index] === "passed") return;
            const x = chart.valToPos(at, "x", true);
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
          });
          ctx.globalAlpha = 1;
          ctx.fillStyle = css("--paper");
          ctx.strokeStyle = css("--soft");
          data.times.forEach((at, index) => {
            if (!data.contended[index]) return;
            const x = chart.valToPos(at, "x", true);
            ctx.beginPath();
            ctx.arc(x, bbox.top + bbox.height - 5, 3.5, 0, Math.PI * 2);
            ctx.fill();
            ctx.stroke();
          });
          ctx.restore();
        },
      ],
    },
  };
}

function drawSteps(target) {
  const data = read(target.dataset.chart);
  if (!data || !data.times.length) return;
  const section = target.closest("section");
  const form = section.querySelector("input[name=form]:checked")?.value ?? "lines";
  const tails = section.querySelector("input[name=tails]")?.checked;
  const middle = data.series.map((one) => one.p50);
  const values = form === "stacked" ? stacked(middle) : middle;
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
  const chart = new uPlot(options(target, series, { bands, plugins: [marks(data)] }), [data.times, ...values], target);
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
      points: { show: false },
      value: (_, __, ___, at) => (at == null ? "" : shown(one.values[phase][at])),
    }));
    const bands = values.slice(1).map((_, index) => ({ series: [index + 2, index + 1] }));
    charts.push(new uPlot(options(box, series, { height: 180, bands }), [one.times, ...values], box));
  }
  if (!target.children.length) target.textContent = "No document was loaded in this span.";
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
          (data.limits ?? []).forEach((limit, index) => {
            if (limit > scales.y.max) return;
            const y = valToPos(limit, "y", true);
            ctx.strokeStyle = css(index ? "--poor" : "--fair");
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
    target.textContent = "Nothing was told in this span.";
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
  if (data.from) scales.x = { range: () => [data.from, data.to] };
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
  if (event.target.closest?.(".switches")) draw();
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
