"""What Playwright's sync API does not offer: several calls at once, each within a time limit, and a word before typing.

The sync API makes one call at a time, and `Frame.evaluate` has no timeout: a page whose main thread hangs would hold the
runner as well. This is the one module that reaches into Playwright's implementation (`_impl_obj`, `_sync`, `_loop`), and it
has the driver outlive what a page says to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from playwright._impl import transport
from playwright._impl.channel_owner import ApiCallOptions, from_channel
from playwright.sync_api import BrowserContext, Download, ElementHandle, Frame, Keyboard, Locator, Page, Request
from playwright.sync_api import Error as PlaywrightError


def evaluate(frame: Frame, expression: str) -> Coroutine[Any, Any, Any]:
    """The call `frame.evaluate(expression)`, not yet made."""
    return _internally(frame._impl_obj, lambda: frame._impl_obj.evaluate(expression, None))


def sizes(request: Request) -> Coroutine[Any, Any, Any]:
    """The call `request.sizes()`, not yet made."""
    return _internally(request._impl_obj, request._impl_obj.sizes)


def download_failure(download: Download) -> Coroutine[Any, Any, Any]:
    """The call `download.failure()`, not yet made; it lasts as long as the download."""
    return _internally(download._impl_obj._artifact, download._impl_obj.failure)


async def _internally(owner: Any, call: Callable[[], Awaitable[Any]]) -> Any:
    # Marked as internal, as Playwright marks its own: the reader of a trace wants the journey's actions, not the runner's.
    return await owner._wrap_api_call(lambda _: call(), ApiCallOptions(internal=True))


def gather(context: BrowserContext, calls: Sequence[Coroutine[Any, Any, Any]], timeout: float) -> list[Any]:
    """Makes all calls at once; returns their results in order, an exception in the place of each that failed.

    `timeout` is in seconds; a call that has not ended by then is dropped and stands as a TimeoutError.
    """
    if not calls:
        return []

    async def everything() -> list[Any]:
        tasks = [asyncio.ensure_future(call) for call in calls]
        _, pending = await asyncio.wait(tasks, timeout=timeout)
        for task in pending:
            task.cancel()
        return [TimeoutError() if task in pending else task.exception() or task.result() for task in tasks]

    results: list[Any] = context._sync(everything())
    return results


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
            self._sync(_internally(context, lambda: _call_on_target(self._impl_obj, selector, script, kwargs.get("timeout"))))
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


def watch_dialogs(context: BrowserContext, unanswered: list[str]) -> None:
    """Keeps in `unanswered` what the context's dialogs say that have been opened and neither accepted nor dismissed.

    The event of the protocol is heard, not the API's: a listener there would turn off that Playwright dismisses a dialog by itself.
    The protocol reports dialogs only when the journey listens for them, the one case in which they can be forgotten.
    """

    def opened(parameters: dict[str, Any]) -> None:
        dialog = from_channel(parameters["dialog"])
        words = f"{dialog.type}({dialog.message[:200]!r})"
        unanswered.append(words)

        def answering(answer: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
            async def answered(*arguments: Any, **options: Any) -> None:
                await answer(*arguments, **options)
                if words in unanswered:
                    unanswered.remove(words)

            return answered

        dialog.accept, dialog.dismiss = answering(dialog.accept), answering(dialog.dismiss)

    context._impl_obj._channel.on("dialog", opened)


_driver_env: Callable[[], dict[str, str]] = vars(transport)["get_driver_env"]


def _lasting_driver_env() -> dict[str, str]:
    """The environment of Playwright's driver, in which a promise that nobody waited for does not end it.

    The driver parses what a page says on a binding where no error is caught (`PageBinding.dispatch`). Once there is a binding, a
    page that has put something else in the place of `JSON`, or that calls the binding itself, would end it, and with it the run.
    """
    env = _driver_env()
    return {**env, "NODE_OPTIONS": f"{env.get('NODE_OPTIONS', '')} --unhandled-rejections=none".strip()}


vars(transport)["get_driver_env"] = _lasting_driver_env
