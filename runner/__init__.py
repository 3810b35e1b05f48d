"""End user monitoring: scripted journeys, timed from inside the page.

>>> from runner import journey
>>> @journey(every="5m")
... def open_the_shop(page, step):
...     with step("open the shop"):
...         page.goto("/")
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from runner.version import __version__ as __version__

if TYPE_CHECKING:
    from playwright.sync_api import APIRequestContext, Browser, BrowserContext, Page, expect

    from runner.artifacts.accessibility.expectation import expect_accessible
    from runner.artifacts.expected_picture import expect_picture
    from runner.checks.protocols.dns import Dns
    from runner.checks.protocols.grpc import Grpc
    from runner.checks.protocols.http import Http
    from runner.checks.protocols.tcp import Tcp
    from runner.checks.protocols.tls import Tls
    from runner.checks.protocols.websocket import Websocket
    from runner.dsl.journey import Journey, Network, check, journey
    from runner.errors import (
        BrowserFailed,
        BrowserNotFound,
        ConfigError,
        DiscoveryError,
        JourneyError,
        PushError,
        RunNotFound,
        SecretMissing,
    )
    from runner.execution.step import Steps as Step
    from runner.result import RunResult, StepResult
    from runner.settings.secrets import Secret, Secrets
else:
    # For annotations only: reading journeys must not cost the import of Playwright.
    APIRequestContext = Browser = BrowserContext = Page = Secrets = Step = Any
    Dns = Grpc = Http = Tcp = Tls = Websocket = Any

    class _Expect:
        """Playwright's `expect`, imported when it is first used."""

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            from playwright.sync_api import expect as playwright_expect

            return playwright_expect(*args, **kwargs)

        def __getattr__(self, name: str) -> Any:
            from playwright.sync_api import expect as playwright_expect

            return getattr(playwright_expect, name)

    expect = _Expect()

    def expect_accessible(*args: Any, **kwargs: Any) -> None:
        """No element of a page may break a rule of accessibility: see `runner.artifacts.accessibility.expectation`."""
        from runner.artifacts.accessibility.expectation import expect_accessible as expect_it

        expect_it(*args, **kwargs)

    def expect_picture(*args: Any, **kwargs: Any) -> None:
        """A page or an element must look as a stored picture shows it: see `runner.artifacts.expected_picture`."""
        from runner.artifacts.expected_picture import expect_picture as expect_it

        expect_it(*args, **kwargs)


Params = Mapping[str, str]

__all__ = [
    "APIRequestContext",
    "Browser",
    "BrowserContext",
    "BrowserFailed",
    "BrowserNotFound",
    "ConfigError",
    "DiscoveryError",
    "Dns",
    "Grpc",
    "Http",
    "Journey",
    "JourneyError",
    "Network",
    "Page",
    "Params",
    "PushError",
    "RunNotFound",
    "RunResult",
    "Secret",
    "SecretMissing",
    "Secrets",
    "Step",
    "StepResult",
    "Tcp",
    "Tls",
    "Websocket",
    "check",
    "expect",
    "expect_accessible",
    "expect_picture",
    "journey",
]

_HOMES = {
    "runner.dsl.journey": ("Journey", "Network", "check", "journey"),
    "runner.errors": (
        "BrowserFailed",
        "BrowserNotFound",
        "ConfigError",
        "DiscoveryError",
        "JourneyError",
        "PushError",
        "RunNotFound",
        "SecretMissing",
    ),
    "runner.result": ("RunResult", "StepResult"),
    "runner.settings.secrets": ("Secret",),
}
"""Where the names are that are imported when they are first used: a process that starts needs none of them."""


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(home), name)
            return value
    raise AttributeError(f"module 'runner' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
