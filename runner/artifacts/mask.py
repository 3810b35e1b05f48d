"""Keeps secrets out of pictures: fields that receive one show dots, and a screenshot covers what shows one as text.

A field is masked before the secret is typed into it, which takes two or three short calls to the browser; so the pictures that
a trace or a video takes meanwhile never show it. A field without a secret costs nothing.
"""

from base64 import b64encode
from typing import Literal
from weakref import WeakSet

from playwright.sync_api import BrowserContext, Locator, Page, Playwright

from runner.browser.driver.typing_hook import before_typing
from runner.redaction import Redactor

MASK = "-webkit-text-security: disc"
ENGINE = "journey-secret"
_typed: WeakSet[BrowserContext] = WeakSet()
"""Contexts into whose pages a secret has been typed."""

# The smallest elements that show one of the texts, through open shadow roots; with "seen", without those that show dots for it. A
# list of choices is one element: what it shows does not belong to any of its parts. Runs where the page's own scripts see nothing of it.
_ENGINE = """({
  queryAll(root, wanted) {
    const [which, canvas, body] = wanted.split(":");
    const raw = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
    const secrets = new TextDecoder().decode(raw).split("\\0");
    const holds = (text) => {
      const lower = typeof text === "string" ? text.toLowerCase() : "";
      return lower !== "" && secrets.some((secret) => lower.includes(secret));
    };
    const dotted = (node) => node.type === "password" || getComputedStyle(node).webkitTextSecurity !== "none";
    const shows = (node) => {
      if (node.localName === "canvas") return canvas === "canvas";
      if (node.localName === "select") {
        const options = node.size > 1 ? node.options : node.selectedOptions;
        return [...options].some((option) => holds(option.text) || holds(option.label));
      }
      return [node.value, node.textContent, node.placeholder, node.alt, node.title, node.label].some(holds);
    };
    const found = [];
    const visit = (node) => {
      let inside = false;
      if (node.localName !== "select") {
        for (const child of [...node.children, ...(node.shadowRoot ? node.shadowRoot.children : [])]) {
          if (visit(child)) inside = true;
        }
      }
      if (inside) return true;
      const own = node.nodeType === 1 && shows(node) && !(which === "seen" && dotted(node));
      if (own) found.push(node);
      return own;
    };
    visit(root);
    return found;
  },
  query(root, wanted) { return this.queryAll(root, wanted)[0]; },
})"""

_HIDE_FIELD = """(element) => {
  const field = element.closest("input, textarea, select, [contenteditable]") || element;
  field.style.setProperty("-webkit-text-security", "disc", "important");
}"""


def register_secret_engine(playwright: Playwright) -> None:
    """Teaches Playwright to find what shows a secret; once, before the first browser context is opened."""
    playwright.selectors.register(ENGINE, _ENGINE, content_script=True)


def mask_fields(context: BrowserContext, redactor: Redactor) -> None:
    """From now on a field of this context is masked before a secret is typed into it."""

    def wanted(text: str) -> bool:
        held = redactor.holds_secret(text)
        if held:
            _typed.add(context)
        return held

    before_typing(context, wanted, _HIDE_FIELD)


def list_covers(page: Page, redactor: Redactor, which: Literal["all", "seen"] = "all") -> list[Locator]:
    """What shows a secret, in every frame: a screenshot covers all of it, also fields that show dots.

    A canvas cannot be looked into: it is covered once a secret has been typed into a page of its context.
    """
    if not redactor.secrets:
        return []
    body = b64encode("\0".join(redactor.beginnings).encode(errors="replace")).decode()
    canvas = "canvas" if which == "all" and page.context in _typed else ""
    return [frame.locator(f"{ENGINE}={which}:{canvas}:{body}") for frame in page.frames]


def shows_secret(page: Page, redactor: Redactor) -> bool:
    """Whether the page shows a secret as text just now. Raises playwright's Error when it does not answer."""
    return any(cover.count() > 0 for cover in list_covers(page, redactor, "seen"))
