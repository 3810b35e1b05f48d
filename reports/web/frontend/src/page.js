// What every page has: light or dark, and live updates where a page asks for them.
const THEMES = ["light", "dark"];
const root = document.documentElement;

function stored() {
  try {
    return localStorage.getItem("theme");
  } catch {
    // A browser that keeps nothing for us: the system's choice holds.
    return null;
  }
}

function show(theme) {
  if (THEMES.includes(theme)) root.dataset.theme = theme;
}

show(stored());
document.querySelector(".theme")?.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const next = dark ? "light" : "dark";
  show(next);
  try {
    localStorage.setItem("theme", next);
  } catch {
    // It holds for this page.
  }
  dispatchEvent(new Event("theme"));
});

// A page of a session that has ended elsewhere, or has expired, shows nothing any more. To ask is not to use the session.
const asked = document.body.dataset.session;
const EACH = 60_000;
let timer;

function leave() {
  document.body.replaceChildren();
  location.replace(`${asked}/sign-in?next=${encodeURIComponent(location.pathname.slice(asked.length) + location.search)}`);
}

async function watchSession() {
  clearTimeout(timer);
  let wait = EACH;
  try {
    const answer = await fetch(`${asked}/account/session`, { cache: "no-store", headers: { Accept: "application/json" } });
    if (answer.status === 401) return leave();
    if (answer.ok) wait = Math.min(EACH, Math.max((await answer.json()).seconds, 1) * 1000);
  } catch {
    // The server is away: it shows nothing either.
  }
  document.body.hidden = false;
  timer = setTimeout(watchSession, wait);
}

if (asked !== undefined) {
  timer = setTimeout(watchSession, EACH);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) watchSession();
  });
  // The browser may have kept the page while the user signed out on another.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.body.hidden = true;
    watchSession();
  });
}

// The server tells that something has ended; the page fetches itself and takes over what has changed, so that there is one
// way in which a page is made. What the reader is using (a selection, an open menu, the focus) stays.
const address = document.body.dataset.live;
if (address) {
  const beat = document.querySelector(".beat");
  const events = new EventSource(address);
  let fetching = false;
  let again = false;

  async function refresh() {
    if (document.hidden || fetching) {
      again = true;
      return;
    }
    fetching = true;
    again = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected && asked !== undefined) await watchSession();
      else if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The server is away: the event source says so, and tries again.
    }
    fetching = false;
    if (again) refresh();
  }

  // What the server sent for each section: charts and players change their own since.
  const sent = new WeakMap();
  for (const section of document.querySelectorAll("main > *")) sent.set(section, section.outerHTML);

  // Without ages, which change by the minute: only what differs otherwise is tinted.
  function wording(element) {
    const copy = element.cloneNode(true);
    for (const age of copy.querySelectorAll(".age, script, svg")) age.remove();
    return copy.textContent.replace(/\s+/g, " ").trim();
  }

  const PARTS = "tbody tr, li, .tile, p, h2";

  function tint(old, fresh) {
    const before = new Set([...old.querySelectorAll(PARTS)].map(wording));
    for (const part of fresh.querySelectorAll(PARTS)) if (!before.has(wording(part))) part.classList.add("changed");
  }

  function take(fresh) {
    document.title = fresh.title;
    for (const section of document.querySelectorAll("main > *")) {
      const id = section.querySelector("[id]")?.id;
      const other = id && fresh.getElementById(id)?.closest("main > *");
      // What the reader has opened stays open.
      const opened = [...section.querySelectorAll("details")].map((one) => one.open);
      const text = other?.outerHTML;
      if (!other || text === sent.get(section) || section.contains(document.activeElement)) continue;
      const selected = getSelection();
      if (selected && !selected.isCollapsed && section.contains(selected.anchorNode)) continue;
      other.querySelectorAll("details").forEach((one, place) => (one.open ||= opened[place] ?? false));
      tint(section, other);
      section.replaceWith(other);
      sent.set(other, text);
    }
    const head = document.querySelector(".head h1");
    const now = fresh.querySelector(".head h1");
    if (head && now && !head.isEqualNode(now)) head.replaceWith(now);
    dispatchEvent(new Event("taken"));
  }

  events.addEventListener("open", () => {
    beat.hidden = false;
    beat.textContent = "live";
    // Nobody here was notified of changes in the meantime.
    if (beat.classList.contains("lost")) refresh();
    beat.classList.remove("lost");
  });
  events.addEventListener("error", () => {
    beat.hidden = false;
    beat.textContent = "connection lost";
    beat.classList.add("lost");
    if (asked !== undefined) watchSession();
  });
  // A page is notified of everything, and reloads itself if it shows that.
  events.addEventListener("changed", (event) => {
    if (document.body.dataset.news.split(" ").includes(event.data)) refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && again) refresh();
  });
}
