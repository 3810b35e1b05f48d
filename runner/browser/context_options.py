"""The browser context that a plan asks for, in Playwright's words."""

import re
from typing import Any

from playwright.sync_api import Browser, Playwright

from runner.dsl.plan import Plan


def options(plan: Plan, playwright: Playwright, browser: Browser) -> dict[str, Any]:
    """The keyword arguments of `Browser.new_context`. What the plan sets itself wins over its device."""
    wanted: dict[str, Any] = {}
    if plan.device is not None:
        wanted.update(playwright.devices[plan.device])
        wanted.pop("default_browser_type", None)
    if plan.viewport is not None:
        width, height = plan.viewport
        wanted["viewport"] = {"width": width, "height": height}
    if plan.basic_auth is not None:
        username, password = plan.basic_auth
        wanted["http_credentials"] = {"username": username, "password": password}
    if plan.user_agent_suffix:
        wanted["user_agent"] = f"{wanted.get('user_agent') or _user_agent(browser)} {plan.user_agent_suffix}"
    if plan.ignore_https_errors:
        wanted["ignore_https_errors"] = True
    context = plan.context
    permissions = [*context.permissions, *(["geolocation"] if plan.geolocation else [])]
    wanted.update(
        {
            name: value
            for name, value in {
                "base_url": plan.base_url,
                "locale": plan.locale,
                "timezone_id": plan.timezone,
                "geolocation": plan.geolocation,
                "extra_http_headers": plan.headers or None,
                "storage_state": plan.storage_state,
                "permissions": list(dict.fromkeys(permissions)) or None,
                "proxy": context.proxy,
                "client_certificates": list(context.client_certificates) or None,
                "color_scheme": context.color_scheme,
                "reduced_motion": context.reduced_motion,
                "service_workers": context.service_workers,
            }.items()
            if value is not None
        }
    )
    if browser.browser_type.name == "firefox":
        # Playwright would set one otherwise, which a Firefox that it has not built may not be able to.
        wanted.setdefault("color_scheme", "null")
    return wanted


def _user_agent(browser: Browser) -> str:
    if browser.browser_type.name != "chromium":
        with browser.new_context(color_scheme="null") as context:
            return str(context.new_page().evaluate("navigator.userAgent"))
    session = browser.new_browser_cdp_session()
    try:
        agent: str = session.send("Browser.getVersion")["userAgent"]
        return agent
    finally:
        session.detach()


_REJECTED = {
    "permissions": "unknown permission",
    "client_certificates": "client certificate",
    "storage_state": "storage state",
}
"""Options of a journey, and what a browser says that cannot open a context with them."""


def find_rejected_option(plan: Plan, message: str) -> str:
    """The option of a journey that a browser has rejected as it opened a context; empty if it was none of them."""
    given: dict[str, object] = {
        "permissions": plan.context.permissions,
        "client_certificates": plan.context.client_certificates,
    }
    given["storage_state"] = plan.storage_state
    said = re.sub(r"storage_?state", "storage state", message.lower())
    return next((option for option, words in _REJECTED.items() if given[option] and words in said), "")
