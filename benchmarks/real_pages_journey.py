"""The journeys that benchmarks/real_pages.py runs: three steps in each application, as its users take them.

A probe of the benchmark's own, which knows nothing of the page agent, notes in each document when a trusted input came and when the
awaited element is first visible: when it was changed, or, if it could not be drawn for 50 ms, when that was done, unless the script had
gone on by then. The span between them goes to the file `params["truth"]`.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner import BrowserContext, Page, Params, Step, expect, journey

AWAITED = {
    "open the wiki": ("h1", "Main Page"),
    "search it": ("h1", "Search results"),
    "see what changed": ("h1", "Recent changes"),
    "open the console": ("input[value=Execute], button", "Execute"),
    "query it": ("td", "prometheus_build_info"),
    "look at the targets": ("h1, h2", "Targets"),
    "open the app": ("h1", "Tea counter"),
    "compute": ("[data-testid=stAlert]", "42 cups"),
    "choose another tea": ("p", "You chose Oolong"),
    "open the editor": ("#red-ui-palette-container .red-ui-palette-label", "inject"),
    "open the menu": (".red-ui-menu-label", "Import"),
    "import a flow": ("label, .ui-dialog-title", "Import nodes"),
}
"""What each step waits for: a selector, and a text that is in the element or its value."""
PROBE = """(() => {
  const wanted = Object.entries(WANTED), shown = {}, now = () => performance.timeOrigin + performance.now();
  const there = (selector, text) => [...document.querySelectorAll(selector)].some((one) =>
    `${one.textContent}${one.value ?? ""}`.includes(text) && one.checkVisibility({ checkVisibilityCSS: true }));
  const look = () => {
    for (const [name, [selector, text]] of wanted) {
      if (!there(selector, text)) delete shown[name];
      else if (!(name in shown)) {
        const one = shown[name] = { changed: now(), drawn: 0 };
        // Nobody sees it before it is drawn; what takes less than 50 ms is noise of the frame clock (docs/timing.md).
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => {
            if (now() - one.changed >= 50) one.drawn = now();
          };
          port2.postMessage(0);
        });
      }
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  (function frame() { look(); requestAnimationFrame(frame); })();
  for (const type of ["pointerdown", "keydown", "input"]) {
    addEventListener(type, (event) => {
      if (!event.isTrusted) return;
      const known = JSON.parse(sessionStorage.getItem("probed") ?? "[]");
      sessionStorage.setItem("probed", JSON.stringify([...known, performance.timeOrigin + event.timeStamp]));
    }, true);
  }
  window.probe = () => ({ shown, inputs: JSON.parse(sessionStorage.getItem("probed") ?? "[]"), opened: performance.timeOrigin });
})();"""


class Probe:
    """The truth of each step, in milliseconds; written when the journey ends."""

    def __init__(self, context: BrowserContext, page: Page, step: Step, params: Params) -> None:
        context.add_init_script(PROBE.replace("WANTED", json.dumps(AWAITED)))
        self._page, self._step, self._file = page, step, Path(params["truth"])
        self._truth: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step of the journey, with its truth."""
        began = time.time() * 1000
        with self._step(name):
            yield
            ended = time.time() * 1000
        # The element may be what the script waited for a frame before the probe looks.
        self._page.wait_for_function("name => name in probe().shown", arg=name)
        told = self._page.evaluate("probe()")
        since = next((at for at in told["inputs"] if at >= began), told["opened"])
        shown = told["shown"][name]
        self._truth[name] = (shown["drawn"] if 0 < shown["drawn"] <= ended else shown["changed"]) - since
        self._file.write_text(json.dumps(self._truth))


@journey(timeout="5m")
def mediawiki(context: BrowserContext, page: Page, step: Step, params: Params) -> None:
    """A wiki whose pages the server renders, and whose search is a new document."""
    probe = Probe(context, page, step, params)
    with probe.step("open the wiki"):
        page.goto("/index.php/Main_Page")
        expect(page.get_by_role("heading", name="Main Page")).to_be_visible()
    with probe.step("search it"):
        page.locator("#searchInput").fill("oolong")
        page.locator("#searchInput").press("Enter")
        expect(page.get_by_role("heading", name="Search results")).to_be_visible()
    with probe.step("see what changed"):
        page.get_by_role("link", name="Recent changes").first.click()
        expect(page.get_by_role("heading", name="Recent changes")).to_be_visible()


@journey(timeout="5m")
def prometheus(context: BrowserContext, page: Page, step: Step, params: Params) -> None:
    """A console whose answers come from an API."""
    probe = Probe(context, page, step, params)
    with probe.step("open the console"):
        page.goto("/classic/graph")
        expect(page.get_by_role("button", name="Execute")).to_be_visible()
    with probe.step("query it"):
        page.get_by_role("textbox", name="Expression").fill("prometheus_build_info")
        page.get_by_role("button", name="Execute").click()
        expect(page.get_by_role("cell", name="prometheus_build_info").first).to_be_visible()
    with probe.step("look at the targets"):
        page.goto("/classic/targets")
        expect(page.get_by_role("heading", name="Targets")).to_be_visible()


@journey(timeout="5m")
def streamlit(context: BrowserContext, page: Page, step: Step, params: Params) -> None:
    """An app whose every click is answered over a websocket by a server that works for a while."""
    probe = Probe(context, page, step, params)
    with probe.step("open the app"):
        page.goto("/")
        expect(page.get_by_role("heading", name="Tea counter")).to_be_visible()
    with probe.step("compute"):
        page.get_by_role("button", name="Compute").click()
        expect(page.get_by_text("42 cups")).to_be_visible()
    with probe.step("choose another tea"):
        page.get_by_text("Oolong", exact=True).click()
        expect(page.get_by_text("You chose Oolong")).to_be_visible()


@journey(timeout="5m", name="node-red")
def node_red(context: BrowserContext, page: Page, step: Step, params: Params) -> None:
    """An editor that is built of thousands of elements."""
    probe = Probe(context, page, step, params)
    with probe.step("open the editor"):
        page.goto("/")
        expect(page.locator("#red-ui-palette-container .red-ui-palette-label").filter(has_text="inject").first).to_be_visible()
    with probe.step("open the menu"):
        page.locator("#red-ui-header-button-sidemenu").click()
        expect(page.locator(".red-ui-menu-label").filter(has_text="Import").first).to_be_visible()
    with probe.step("import a flow"):
        page.locator(".red-ui-menu-label").filter(has_text="Import").first.click()
        expect(page.get_by_role("dialog").get_by_text("Import nodes").first).to_be_visible()
