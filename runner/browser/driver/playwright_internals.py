"""What Playwright's sync API does not offer: several calls at once, each within a time limit, and more.

The sync API makes one call at a time, and `Frame.evaluate` has no timeout: a page whose main thread hangs would hold the
runner as well. Only this folder reaches into Playwright's implementation (`_impl_obj`, `_sync`, `_loop`), and it
has the driver outlive what a page says to it.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from greenlet import GreenletExit  # type: ignore[import-untyped]  # Playwright depends on it; it has no types
from playwright._impl import _impl_to_api_mapping as impl_to_api_mapping
from playwright._impl import transport
from playwright._impl._impl_to_api_mapping import IMPL_ATTR, ImplToApiMapping
from playwright._impl.channel_owner import ApiCallOptions, from_channel
from playwright.sync_api import (
    BrowserContext,
    CDPSession,
    Download,
    Frame,
    Page,
    Playwright,
    Request,
    Response,
)
from playwright.sync_api import Error as PlaywrightError


def evaluate(frame: Frame, expression: str) -> Coroutine[Any, Any, Any]:
    """The call `frame.evaluate(expression)`, not yet made."""
    return call_internally(frame._impl_obj, lambda: frame._impl_obj.evaluate(expression, None))


def sizes(request: Request) -> Coroutine[Any, Any, Any]:
    """The call `request.sizes()`, not yet made."""
    return call_internally(request._impl_obj, request._impl_obj.sizes)


async def open_session(context: BrowserContext, target: Page | Frame) -> CDPSession:
    """The call `context.new_cdp_session(target)`, not yet made."""
    return CDPSession(await context._impl_obj.new_cdp_session(target._impl_obj))


def detach(session: CDPSession) -> Coroutine[Any, Any, None]:
    """The call `session.detach()`, not yet made."""
    return call_internally(session._impl_obj, session._impl_obj.detach)


def send(session: CDPSession, method: str, parameters: dict[str, Any]) -> Coroutine[Any, Any, Any]:
    """The call `session.send(method, parameters)`, not yet made."""
    return call_internally(session._impl_obj, lambda: session._impl_obj.send(method, parameters, None))


def start(context: BrowserContext, call: Coroutine[Any, Any, Any]) -> None:
    """Makes a call whose end nobody waits for."""
    task = context._loop.create_task(call)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


def find_guid(of: BrowserContext | Frame | Response) -> str:
    """What Playwright's driver calls it."""
    return str(of._impl_obj._guid)


def download_failure(download: Download) -> Coroutine[Any, Any, Any]:
    """The call `download.failure()`, not yet made; it lasts as long as the download."""
    return call_internally(download._impl_obj._artifact, download._impl_obj.failure)


async def bounded(call: Coroutine[Any, Any, Any], timeout: float) -> Any:
    """A call that is given up after `timeout` seconds, not yet made. Raises TimeoutError then."""
    return await asyncio.wait_for(call, timeout)


def reserve_tracing(context: BrowserContext) -> None:
    """Has a context answer to a script's own tracing as one does that is being traced, so that a walk with a trace ends like one without.

    Starting is refused in Playwright's words, stopping does nothing.
    """
    tracing: Any = context._impl_obj.tracing

    async def refuse(*_: Any, **__: Any) -> None:
        raise PlaywrightError("Tracing.start: Tracing has been already started")

    async def ignore(*_: Any, **__: Any) -> None:
        pass

    tracing.start = refuse
    tracing.stop = ignore


async def call_internally(owner: Any, call: Callable[[], Awaitable[Any]]) -> Any:
    """A call that is marked as Playwright marks its own: the reader of a trace wants the journey's actions, not the runner's."""
    return await owner._wrap_api_call(lambda _: call(), ApiCallOptions(internal=True))


def gather(context: BrowserContext, calls: Sequence[Coroutine[Any, Any, Any]], timeout: float) -> list[Any]:
    """Makes all calls at once; returns their results in order, an exception in the place of each that failed.

    `timeout` is in seconds; a call that has not ended by then is dropped and stands as a TimeoutError.
    """
    if not calls:
        return []

    if is_driver_gone(context):
        for call in calls:
            call.close()
        return [TimeoutError()] * len(calls)

    async def everything() -> list[Any]:
        tasks = [asyncio.ensure_future(call) for call in calls]
        for task in tasks:
            # Python reports an error that nobody has asked for, such as that of a call which was given up.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        _, pending = await asyncio.wait(tasks, timeout=timeout)
        for task in pending:
            task.cancel()
        return [TimeoutError() if task in pending else task.exception() or task.result() for task in tasks]

    results: list[Any] = context._sync(everything())
    return results


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


def list_unanswered_routes(context: BrowserContext) -> list[str]:
    """The addresses of requests that were given to a route handler of the journey which has neither answered them nor passed them on."""
    routers: list[Any] = [context._impl_obj, *(page._impl_obj for page in context.pages)]
    handlers = [handler for router in routers for handler in router._routes]
    return [one.route.request.url for handler in handlers for one in handler._active_invocations]


@contextmanager
def hear_listeners(context: BrowserContext) -> Iterator[list[BaseException]]:
    """The list is filled with what event listeners and route handlers raise in the block.

    Playwright raises it from the next call, which may be one of its own, where it is lost, or one of the runner, or of the next run.
    """
    heard: list[BaseException] = []
    connection: Any = context._impl_obj._connection
    before = vars(connection).get("_on_event_listener_error")

    def hear(error: BaseException) -> None:
        heard.append(error.__cause__ if isinstance(error, Escaped) and error.__cause__ else error)

    def hear_in_loop(loop: asyncio.AbstractEventLoop, problem: dict[str, Any]) -> None:
        # A listener that has waited for a call raises in the callback that resumes it.
        error = problem.get("exception")
        if error is not None and problem.get("message", "").startswith("Exception in callback wait_for_future"):
            hear(error)
        else:
            loop.default_exception_handler(problem)

    loop: asyncio.AbstractEventLoop = context._loop
    handler_before = loop.get_exception_handler()
    connection._on_event_listener_error = hear
    loop.set_exception_handler(hear_in_loop)
    try:
        yield heard
    finally:
        loop.set_exception_handler(handler_before)
        if before is None:
            del connection._on_event_listener_error
        else:
            connection._on_event_listener_error = before


class Escaped(Exception):
    """What is raised in a listener in place of its cause, which would end Playwright's connection. It is not an Exception."""


_wrap_handler = ImplToApiMapping.wrap_handler


def _wrap_contained(self: ImplToApiMapping, handler: Callable[..., Any]) -> Callable[..., Any]:
    """As Playwright wraps a listener; `sys.exit`, `pytest.fail` or the run's deadline in it end the step, not the connection."""
    wrapped = _wrap_handler(self, handler)
    if isinstance(wrapped, _Contained):
        return wrapped
    contained = _Contained(wrapped)
    # Playwright finds the wrapper there when the listener is removed.
    owner, name = (handler.__self__, handler.__name__) if inspect.ismethod(handler) else (handler, "")
    setattr(owner, f"{IMPL_ATTR}{name}", contained)
    return contained


class _Contained:
    def __init__(self, handler: Callable[..., Any]) -> None:
        self._handler = handler

    def __call__(self, *args: Any) -> Any:
        try:
            return self._handler(*args)
        except (Exception, GreenletExit):
            raise
        except BaseException as error:
            raise Escaped(str(error)) from error


vars(impl_to_api_mapping)["ImplToApiMapping"].wrap_handler = _wrap_contained


def is_driver_gone(of: Playwright | BrowserContext) -> bool:
    """Whether Playwright's driver has ended, or nothing listens to it any more: no browser can be started with it."""
    connection = of._impl_obj._connection
    return connection._closed_error is not None or bool(connection._dispatcher_fiber and connection._dispatcher_fiber.dead)


_driver_env: Callable[[], dict[str, str]] = vars(transport)["get_driver_env"]


def _lasting_driver_env() -> dict[str, str]:
    """The environment of Playwright's driver, in which a promise that nobody waited for does not end it.

    The driver parses what a page says on a binding where no error is caught (`PageBinding.dispatch`). Once there is a binding, a
    page that has put something else in the place of `JSON`, or that calls the binding itself, would end it, and with it the run.
    """
    env = _driver_env()
    return {**env, "NODE_OPTIONS": f"{env.get('NODE_OPTIONS', '')} --unhandled-rejections=none".strip()}


vars(transport)["get_driver_env"] = _lasting_driver_env
