"""Whose fault an exception is, by what it says; without a browser, with the words of Playwright's driver."""

import pytest
from playwright.sync_api import Error as PlaywrightError

from runner.execution.failure import explain_failure
from runner.result import FailureKind

WORDS: dict[str, FailureKind] = {
    "Page.screenshot: Expected options.clip.width to be greater than 0.": "journey",
    "Touchscreen.tap: hasTouch must be enabled on the browser context before using the touchscreen.": "journey",
    "Clock.pause_at: Invalid date: not a date": "journey",
    "Page.route_from_har: ENOENT: no such file or directory, open '/nowhere.har'": "journey",
    "CDPSession.send: Protocol error (No.such): 'No.such' wasn't found": "journey",
    'APIRequestContext.fetch: Method must be a valid HTTP token ["FOO BAR"]': "journey",
    "APIRequestContext.post: Unexpected 'data' type": "journey",
    "APIRequestContext.post: Unexpected value type of 'multipart.f'": "journey",
    "Attempting to serialize unexpected value: <object object>": "journey",
    "Page.goto: net::ERR_FILE_NOT_FOUND at file:///nowhere\nCall log:\n": "journey",
    "BrowserContext.new_page: Executable doesn't exist at /root/.cache/ffmpeg-linux\nLooks like …": "monitor",
    "Page.goto: net::ERR_CONNECTION_REFUSED at http://shop.example/?q=Executable doesn't exist at": "navigation",
    "Page.goto: net::ERR_ABORTED at http://shop.example/\nnet::ERR_FILE_NOT_FOUND at x": "navigation",
    "Locator.click: Frame was detached\nCall log:\n": "page",
    "Locator.fill: Error: Element is not an <input>, <textarea>, <select> or [contenteditable]": "page",
}


@pytest.mark.parametrize("words", WORDS)
def test_what_playwright_says_tells_misuse_from_the_site(words: str) -> None:
    assert explain_failure(PlaywrightError(words), __file__).kind == WORDS[words]


class _Unreadable:
    def __str__(self) -> str:
        raise ValueError

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (SystemExit({"stock": 0}), "assertion", "sys.exit: {'stock': 0}"),
        (SystemExit(_Unreadable()), "assertion", "sys.exit: (its text cannot be had: ValueError)"),
        (SystemExit(False), "journey", "sys.exit(0) ended the journey before its end"),
        (ExceptionGroup("two", [AssertionError("no tea"), AssertionError("no pot")]), "assertion", "no tea\nno pot"),
        (ExceptionGroup("two", [AssertionError("no tea"), KeyError("pot")]), "journey", "no tea\nKeyError: 'pot'"),
        (BaseExceptionGroup("one", [ExceptionGroup("inner", [ValueError("x")])]), "journey", "ValueError: x"),
        (GeneratorExit(), "journey", "a generator of the journey was not run to its end"),
        (AssertionError("Locator expected to be visible\nActual value: None"), "journey", "has the wrong type"),
        (AssertionError("Locator expected to be visible\nActual value: None\nCall log:\n"), "assertion", "Call log"),
    ],
)
def test_each_way_to_end_has_its_culprit(error: BaseException, kind: FailureKind, message: str) -> None:
    failure = explain_failure(error, __file__)
    assert failure.kind == kind
    assert message in failure.message
