"""Keeps secrets out of pictures: fields that receive one show dots, and a screenshot covers what shows one as text.

A field is masked before the secret is typed into it, which takes two or three short calls to the browser; so the pictures that
a trace or a video takes meanwhile never show it. A field without a secret costs nothing.
"""

from base64 import b64encode
from typing import Literal

from playwright.sync_api import BrowserContext, Locator, Page, Playwright

from runner.browser import playwright_internals as bridge
from runner.redaction import Redactor

MASK = "-webkit-text-security: disc"
ENGINE = "journey-secret"

# The smallest elements whose text or value holds one of the texts, through open shadow roots; with "seen", without those that
# show dots for it. Runs where the page's own scripts see nothing of it.
_ENGINE = """({
  queryAll(root, wanted) {
    const [which, body] = wanted.split(":");
    const raw = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
    const secrets = new TextDecoder().decode(raw).split("\\0");
    const holds = (text) => typeof text === "string" && secrets.some((secret) => text.includes(secret));
    const dotted = (node) => node.type === "password" || getComputedStyle(node).webkitTextSecurity !== "none";
    const found = [];
    const visit = (node) => {
      let inside = false;
      for (const child of [...node.children, ...(node.shadowRoot ? node.shadowRoot.children : [])]) {
        if (visit(child)) inside = true;
      }
      if (inside) return true;
      const own = node.nodeType === 1 && (holds(node.value) || holds(node.textContent)) && !(which === "seen" && dotted(node));
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
    bridge.before_typing(context, redactor.holds_secret, _HIDE_FIELD)


def list_covers(page: Page, redactor: Redactor, which: Literal["all", "seen"] = "all") -> list[Locator]:
    """What holds a secret, in every frame: a screenshot covers all of it, also fields that show dots."""
    if not redactor.secrets:
        return []
    body = b64encode("\0".join(redactor.secrets).encode(errors="replace")).decode()
    return [frame.locator(f"{ENGINE}={which}:{body}") for frame in page.frames]


def shows_secret(page: Page, redactor: Redactor) -> bool:
    """Whether the page shows a secret as text just now. Raises playwright's Error when it does not answer."""
    return any(cover.count() > 0 for cover in list_covers(page, redactor, "seen"))
