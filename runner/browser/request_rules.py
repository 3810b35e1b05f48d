"""What a browser context has before its first page: cookies, addresses that are not requested, answers in place of the site's."""

import re
from typing import TYPE_CHECKING, cast

from playwright.sync_api import BrowserContext, Route

from runner.dsl.browser_options import Mock
from runner.dsl.context_plan import ContextPlan

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

BLOCKED = "net::ERR_BLOCKED_BY_CLIENT"
"""Why a request failed that the journey does not allow; it was never sent."""


def prepare_context(context: BrowserContext, plan: ContextPlan) -> None:
    """Sets the plan's cookies and routes; to be called before the first page. Routes of the journey's own win over them.

    Raises playwright's Error for a cookie that the browser refuses.
    """
    if plan.cookies:
        context.add_cookies(cast("list[SetCookieParam]", list(plan.cookies)))
    for mock in plan.mocks:
        _answer(context, mock)
    if plan.blocked:
        # The driver compares addresses, so that only blocked requests are asked about here.
        context.route(re.compile(plan.blocked), lambda route: route.abort("blockedbyclient"))


def _answer(context: BrowserContext, mock: Mock) -> None:
    if mock.file is not None and mock.file.suffix == ".har":
        context.route_from_har(mock.file, url=mock.pattern)
        return

    def fulfill(route: Route) -> None:
        # Playwright guesses the type of a file by its name.
        route.fulfill(status=mock.status, headers=mock.headers or None, body=mock.body, path=mock.file)

    context.route(mock.pattern, fulfill)
