"""A word before a text is typed: called with the element, by whichever method of Playwright's API the journey types."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from playwright.sync_api import BrowserContext, ElementHandle, Frame, Keyboard, Locator, Page
from playwright.sync_api import Error as PlaywrightError

from runner.browser.driver.playwright_internals import call_internally

_masks: WeakKeyDictionary[Any, tuple[Callable[[str], bool], str]] = WeakKeyDictionary()
_TYPING = {
    # The position of the text among the arguments, for each method that types one.
    Locator: {"fill": 0, "type": 0, "press_sequentially": 0},
    Page: {"fill": 1, "type": 1},
    Frame: {"fill": 1, "type": 1},
    ElementHandle: {"fill": 0, "type": 0},
    Keyboard: {"type": 0, "insert_text": 0},
}
_FOCUSED = "() => { const focused = document.activeElement; if (focused) (%s)(focused); }"


def before_typing(context: BrowserContext, wanted: Callable[[str], bool], script: str) -> None:
    """From now on calls `script` with the element that a text is typed into, before it is, if `wanted(text)`.

    A text is typed by `fill`, `type`, `press_sequentially` and `insert_text`; with a keyboard, into what has the focus.
    """
    _masks[context._impl_obj] = (wanted, script)


def _announcing(original: Callable[..., Any], position: int) -> Callable[..., Any]:
    @wraps(original)
    def typing(self: Any, *args: Any, **kwargs: Any) -> Any:
        text = args[position] if len(args) > position else kwargs.get("value", kwargs.get("text"))
        context = _context_of(self)
        wanted, script = _masks.get(context, (None, ""))
        if wanted is not None and isinstance(text, str) and wanted(text):
            selector = args[0] if position and args else kwargs.get("selector")
            self._sync(
                call_internally(context, lambda: _call_on_target(self._impl_obj, selector, script, kwargs.get("timeout")))
            )
        return original(self, *args, **kwargs)

    return typing


def _context_of(typist: Any) -> Any:
    target = typist._impl_obj
    if isinstance(typist, Page):
        return target._browser_context
    if isinstance(typist, Keyboard):
        return target._page._browser_context
    frame = target if isinstance(typist, Frame) else target._frame
    return frame.page._browser_context


async def _call_on_target(target: Any, selector: str | None, script: str, timeout: float | None) -> None:
    if hasattr(target, "_selector"):
        await _call_on_located(target, script, timeout)
    elif selector is not None:
        # A page's and a frame's own methods take the first of several matches.
        frame = getattr(target, "main_frame", target)
        located = frame.locator(selector, has_text=None, has_not_text=None, has=None, has_not=None)
        await _call_on_located(located.first, script, timeout)
    elif hasattr(target, "_page"):
        for frame in target._page.frames:
            await frame.evaluate(_FOCUSED % script, None)
    else:
        await target.evaluate(script, None)


async def _call_on_located(locator: Any, script: str, timeout: float | None) -> None:
    try:
        # The element is most often there: one message instead of three.
        await locator._frame.eval_on_selector(locator._selector, script, None, True)
    except PlaywrightError:
        await locator._with_element(lambda element, _: element.evaluate(script, None), timeout)


for _class, _methods in _TYPING.items():
    for _method, _position in _methods.items():
        setattr(_class, _method, _announcing(getattr(_class, _method), _position))
