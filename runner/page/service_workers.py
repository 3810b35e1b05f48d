"""Requests of pages that a service worker passes on to the network: two for the browser, one for the visitor."""

from collections.abc import Callable, Iterable

from playwright.sync_api import Request


def find_passed_on(requests: Iterable[Request], overlap: Callable[[Request, Request], bool]) -> dict[Request, Request]:
    """The requests of pages among `requests` that a service worker has passed on, each with the worker's own request for it.

    A worker's request is a page's passed on if it has the same address and method, and `overlap(page's, worker's)`.
    """
    known = list(requests)
    own = [request for request in known if request.service_worker is not None]
    if not own:
        return {}
    waiting: dict[tuple[str, str], list[Request]] = {}
    for request in known:
        if request.service_worker is None:
            waiting.setdefault((request.method, request.url), []).append(request)
    found: dict[Request, Request] = {}
    for request in own:
        candidates = waiting.get((request.method, request.url), [])
        page = next((one for one in candidates if one not in found and overlap(one, request)), None)
        if page is not None:
            found[page] = request
    return found
