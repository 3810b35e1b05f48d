// Plays a recording: rrweb's replayer, with controls, and the page's own list of what happened.
import { Replayer } from "@rrweb/replay";
import { fetchPart, fromPicture, startOf } from "./replay/parts.js";

const manifest = JSON.parse(document.querySelector("#manifest").textContent);
const stage = document.querySelector(".stage");
const said = document.querySelector("#said");
const toggle = document.querySelector("#play");
const slider = document.querySelector("#at");
const clock = document.querySelector("#clock");
const speed = document.querySelector("#speed");
const idle = document.querySelector("#idle");
const tabs = document.querySelector("#tab");
const cursor = document.querySelector("#cursor");
/** Milliseconds of a recording that are fetched before they are needed. */
const AHEAD = 30_000;
const { start, end } = manifest;

let tab = null;
let replayer = null;
/** When the first event of the replayer's was, and the last; the number of the next part. */
let base = 0;
let until = 0;
let next = 0;
let playing = false;
let now = start;
let turn = 0;
let fetching = null;

const say = (text, bad = false) => {
  said.textContent = text;
  said.className = bad ? "poor" : "soft";
};

const shown = (milliseconds) => {
  const seconds = Math.max(Math.round(milliseconds / 1000), 0);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

function fit() {
  const frame = stage.querySelector("iframe");
  const wrapper = stage.querySelector(".replayer-wrapper");
  if (!frame || !wrapper) return;
  const [width, height] = [Number(frame.width) || 1, Number(frame.height) || 1];
  const scale = Math.min(stage.clientWidth / width, (innerHeight * 0.7) / height, 1);
  wrapper.style.transform = `scale(${scale})`;
  wrapper.style.transformOrigin = "0 0";
  // Its border is a part of its height.
  stage.style.height = `${Math.ceil(height * scale) + stage.offsetHeight - stage.clientHeight}px`;
}

function drop() {
  replayer?.destroy();
  replayer = null;
  stage.replaceChildren();
}

/** The description of the recording. */
function listen(events) {
  for (const { type, data } of events) {
    if (type === 5 && data.tag === "gave-up") say(`The recorder stopped here: ${String(data.payload?.why).slice(0, 200)}.`, true);
  }
}

async function more() {
  fetching ??= (async () => {
    const mine = turn;
    const part = tab.parts[next++];
    const events = await fetchPart(part);
    if (mine !== turn) return;
    for (const event of events) replayer.addEvent(event);
    until = Math.max(until, part.to);
    listen(events);
  })().finally(() => {
    fetching = null;
  });
  await fetching;
}

/** Shows a moment; only what is needed for it is fetched. */
async function seek(at) {
  const mine = ++turn;
  now = Math.min(Math.max(at, start), end);
  show();
  const wanted = manifest.tabs.findLast((one) => one.parts.length && one.parts[0].from <= now) ?? manifest.tabs[0];
  if (!wanted) return;
  try {
    if (wanted === tab && replayer && now >= base && now <= until) return go();
    tab = wanted;
    tabs.value = tab.id;
    const first = startOf(tab.parts, now);
    if (first < 0) {
      drop();
      return say("This part cannot be played: no full picture of the page has arrived, so there is nothing to begin from.", true);
    }
    say("Loading …");
    let events = [];
    let lost = false;
    let number = first;
    for (; number < tab.parts.length && (number === first || tab.parts[number].from <= now + AHEAD / 6); number++) {
      try {
        events.push(...(await fetchPart(tab.parts[number])));
      } catch (error) {
        if (number === first) throw error;
        lost = true;
      }
      if (mine !== turn) return;
    }
    events = fromPicture(events, now);
    if (events.length < 2) {
      drop();
      return say("This part cannot be played: it holds no full picture of the page.", true);
    }
    drop();
    replayer = new Replayer(events, {
      root: stage,
      speed: Number(speed.value),
      skipInactive: idle.checked,
      inactivePeriodThreshold: 5_000,
      mouseTail: false,
      triggerFocus: false,
      showWarning: false,
      UNSAFE_replayCanvas: false,
    });
    base = events[0].timestamp;
    until = events.at(-1).timestamp;
    next = number;
    replayer.on("resize", () => requestAnimationFrame(fit));
    replayer.on("finish", ended);
    replayer.iframe.title = "What was on the screen";
    const gaps = lost ? [...manifest.gaps, "a part cannot be had any more"] : manifest.gaps;
    say(gaps.length ? `Not whole: ${gaps.join("; ")}.` : "", gaps.length > 0);
    listen(events);
    go();
    fit();
    document.documentElement.dataset.replay = "ready";
  } catch (error) {
    say(`This part cannot be played: ${error.message}.`, true);
  }
}

function go() {
  // With the events of that very moment.
  const offset = Math.max(now - base, 0) + 1;
  if (playing) replayer.play(offset);
  else replayer.pause(offset);
}

async function ended() {
  if (!playing) return;
  if (next < tab.parts.length) {
    now = tab.parts[next].from;
    return seek(now);
  }
  const after = manifest.tabs[manifest.tabs.indexOf(tab) + 1];
  if (after) return seek(after.parts[0].from);
  now = end;
  play(false);
  show();
}

function play(wanted) {
  playing = wanted;
  toggle.textContent = playing ? "Pause" : "Play";
  if (!replayer) return;
  if (playing && now >= end) seek(start);
  else go();
}

function show() {
  slider.value = String(now - start);
  slider.setAttribute("aria-valuetext", shown(now - start));
  clock.textContent = `${shown(now - start)} of ${shown(end - start)}`;
  const x = end > start ? ((now - start) / (end - start)) * 1000 : 0;
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
}

function tick() {
  if (playing && replayer) {
    now = Math.min(base + replayer.getCurrentTime(), end);
    show();
    if (until - now < AHEAD && next < tab.parts.length && !fetching) {
      more().catch((error) => say(`The rest cannot be played: ${error.message}.`, true));
    }
  }
  requestAnimationFrame(tick);
}

slider.max = String(end - start);
slider.addEventListener("input", () => seek(start + Number(slider.value)));
toggle.addEventListener("click", () => play(!playing));
speed.addEventListener("change", () => replayer?.setConfig({ speed: Number(speed.value) }));
idle.addEventListener("change", () => replayer?.setConfig({ skipInactive: idle.checked }));
tabs.addEventListener("change", () => {
  const chosen = manifest.tabs.find((one) => one.id === tabs.value);
  if (chosen?.parts.length) seek(chosen.parts[0].from);
});
addEventListener("resize", fit);
for (const link of document.querySelectorAll("[data-at]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    seek(start + Number(link.dataset.at));
  });
}
addEventListener("keydown", (event) => {
  if (event.key !== " " || /^(INPUT|SELECT|BUTTON|A|SUMMARY)$/.test(event.target.tagName)) return;
  event.preventDefault();
  play(!playing);
});

const asked = Number(new URLSearchParams(location.search).get("t"));
if (manifest.tabs.some((one) => one.parts.length)) {
  seek(start + (asked > 0 ? asked : 0));
  requestAnimationFrame(tick);
} else {
  show();
}
