"""What functions raise that a journey exposes to its pages (`expose_function`, `expose_binding`).

Playwright passes it to the page, which may handle it, and it comes back, if at all, as an error of the page. There is no API for it, so
this module changes Playwright's implementation, as playwright_internals.py does.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from msgspec import Struct
from playwright._impl import page as page_module
from playwright._impl.page import BindingCall
from playwright.sync_api import BrowserContext

from runner.browser.driver.playwright_internals import Escaped


class ExposedError(Struct, frozen=True):
    """What a function has raised that the journey exposes to its pages."""

    function: str
    error: BaseException


@contextmanager
def hear_exposed(context: BrowserContext) -> Iterator[list[ExposedError]]:
    """The list is filled with what functions raise in the block that the journey exposes to pages. Playwright passes it to the page only."""
    heard: list[ExposedError] = []
    connection: Any = context._impl_obj._connection
    before = _hearing.get(connection)
    _hearing[connection] = heard
    try:
        yield heard
    finally:
        if before is None:
            del _hearing[connection]
        else:
            _hearing[connection] = before


_hearing: WeakKeyDictionary[Any, list[ExposedError]] = WeakKeyDictionary()
_call_function = BindingCall.call
_OWN_FUNCTIONS = "__journey"


async def _call_heard(self: BindingCall, function: Callable[..., Any]) -> None:
    name, heard = str(self._initializer["name"]), _hearing.get(self._connection)

    @contextmanager
    def hearing() -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if heard is not None and not name.startswith(_OWN_FUNCTIONS):
                escaped = isinstance(error, Escaped) and error.__cause__
                heard.append(ExposedError(name, escaped or error))
            raise

    async def wait_for(result: Awaitable[Any]) -> Any:
        with hearing():
            return await result

    def call(*args: Any) -> Any:
        with hearing():
            result = function(*args)
        return wait_for(result) if inspect.isawaitable(result) else result

    await _call_function(self, call)


vars(page_module)["BindingCall"].call = _call_heard
