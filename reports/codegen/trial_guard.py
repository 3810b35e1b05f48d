"""Stops a trial before it changes something: what an action would do is judged by the live element and by what the page then sends.

What a recording calls an element is a stranger's claim. A trial without `--yes` therefore runs with this guard, in the worker: before
each click and key it looks at the element that is really there, and afterwards it lets no request pass that could change something.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reports.codegen.irreversible import find_word
from runner.errors import JourneyError

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

STOPPED = "the trial was stopped"
"""How the message of a stopped trial begins."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""
ACTS = ("click", "dblclick", "tap", "press", "check", "uncheck", "select_option")
_LOOK = """element => {
  const acted = element.closest("a, button, input, summary, label, [role]") ?? element;
  const target = acted instanceof HTMLLabelElement ? acted.control ?? acted : acted;
  const labels = (target.getAttribute("aria-labelledby") ?? "").split(/\\s+/).map(id => document.getElementById(id)?.textContent);
  const value = target instanceof HTMLInputElement && ["submit", "button", "image", "reset"].includes(target.type) ? target.value : "";
  const said = [acted.innerText, value, ...labels, ...["aria-label", "title", "alt"].map(name => target.getAttribute(name))];
  const sends = target.form && ["submit", "image"].includes(target.type);
  return {said: said.map(text => (text ?? "").slice(0, 200)).join(" "), sends: Boolean(sends), inForm: Boolean(target.form)};
}"""


class TrialStopped(JourneyError):
    """An action that needs a confirmation."""


def guard_trial(page: "Page", reporting_paths: tuple[str, ...] = ()) -> None:
    """Guards a run from here on; pages may send reports to `reporting_paths`. Called by the source of the trial."""
    from playwright.sync_api import Locator

    acted = False

    def guarded(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(act)
        def checked(self: "Locator", *words: Any, **more: Any) -> Any:
            nonlocal acted
            _judge(self, name, words)
            acted = True
            return act(self, *words, **more)

        return checked

    def pass_on(route: "Route") -> None:
        request = route.request
        harmless = request.method in SAFE or request.resource_type == "ping" or urlsplit(request.url).path in reporting_paths
        if harmless or not acted:
            route.fallback()
            return
        route.abort()
        raise TrialStopped(f"{STOPPED}: the page would send {request.method} {urlsplit(request.url).path[:100]}")

    for name in ACTS:
        act = getattr(Locator, name)
        # The worker may have run a trial before.
        setattr(Locator, name, guarded(name, getattr(act, "__wrapped__", act)))
    page.context.route("**/*", pass_on)


def _judge(locator: "Locator", name: str, words: tuple[Any, ...]) -> None:
    """Raises TrialStopped for an action on an element that is called dangerous, or that sends a form."""
    if name in {"check", "uncheck", "select_option"}:
        return
    looked = locator.evaluate(_LOOK)
    sends = looked["inForm"] and words[:1] == ("Enter",) if name == "press" else looked["sends"]
    word = find_word(looked["said"])
    if word:
        raise TrialStopped(f"{STOPPED}: the element {word}")
    if sends:
        raise TrialStopped(f"{STOPPED}: this sends a form")
