"""Several Playwright calls at once, none of them for longer than told, from the sync API.

The sync API makes one call at a time, and `Frame.evaluate` has no timeout: a page whose main thread hangs would hold the
runner as well. This is the one module that reaches into Playwright's implementation (`_impl_obj`, `_sync`, `_loop`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from playwright._impl.channel_owner import ApiCallOptions
from playwright.sync_api import BrowserContext, Frame, Request


def evaluate(frame: Frame, expression: str) -> Coroutine[Any, Any, Any]:
    """The call `frame.evaluate(expression)`, not yet made."""
    return _internally(frame._impl_obj, lambda: frame._impl_obj.evaluate(expression, None))


def sizes(request: Request) -> Coroutine[Any, Any, Any]:
    """The call `request.sizes()`, not yet made."""
    return _internally(request._impl_obj, request._impl_obj.sizes)


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
