"""From an exception to a failure: its kind, a short message, the line in the journey; without the runner's own stack."""

import linecache
import re
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from runner.browser.deadline import DeadlineReached
from runner.errors import JourneyError
from runner.result import SITE, Failure, FailureKind
from runner.untrusted_text import bounded, tamed

MESSAGE_LINES = 12
LONGEST_LINE = 1_000
"""Characters of one line of a message."""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

# Chromium's net errors (net/base/net_error_list.h) that concern this machine's own network or resources, not the site.
_OWN_NETWORK = re.compile(
    r"net::ERR_(INTERNET_DISCONNECTED|NETWORK_CHANGED|NETWORK_IO_SUSPENDED|NETWORK_ACCESS_DENIED|(UNEXPECTED_|HTTPS_|MANDATORY_)?PROXY_\w+"
    r"|NO_SUPPORTED_PROXIES|SOCKS_CONNECTION_\w+|INSUFFICIENT_RESOURCES|OUT_OF_MEMORY|TUNNEL_CONNECTION_FAILED|ADDRESS_IN_USE)"
)
_NAVIGATION = re.compile(r"net::ERR_|NS_ERROR_|ECONNREFUSED|ECONNRESET|ENOTFOUND|socket hang up")
_NO_PROGRAM = re.compile(r"[\w.]+: Executable doesn't exist at ")
_NO_SITE = re.compile(r"net::ERR_(FILE_NOT_FOUND|INVALID_URL|UNKNOWN_URL_SCHEME) at ")
"""Addresses that lead to no site."""
_MISUSE = re.compile(
    "|".join(
        (
            # What Playwright's own checks of arguments say (its protocol's validator, its client, the server's dispatchers).
            r"Cannot navigate to invalid URL|Invalid URL|Unknown engine|while parsing (css )?selector|is not a valid selector",
            r"\bexpected (one of|string|number|integer|boolean|object|array|undefined)\b|\bgot (string|number|boolean|object|undefined)\b",
            r"precondition .* failed|Unknown (key|permission|device|button)|has been already (started|stopped)|Must start \w+ before",
            r"Cookie should have|Error reading storage state|Invalid (header|cookie|parameters|value|argument|arguments|option)\b",
            r"Either \w+ or \w+ (must|should)|Please use either|cannot be (both|used together)|Can only be (called|used)",
            r"using Playwright Sync API inside the asyncio loop|is already handled|only one of .* (may|can|must|should) be",
            r"must be (a |an )?(positive|non-negative|greater|specified|one of|between|set|string|number|function)|values must be",
            r"is not a valid XPath|(Page|Frame|Locator|ElementHandle|JSHandle|Worker)\.(evaluate|eval_on|wait_for_function)\w*: SyntaxError",
            r"^BrowserType\.\w+: |Unsupported \w+ (type|mime)|Unknown \w+ type|Malformed \w+|Unexpected (token|value|'\w+' type)",
            r"Expected options\.|must be enabled on the browser context|Invalid date: |must be a valid|serialize unexpected value",
            r"ENOENT: no such file|Protocol error \([\w.]+\): '[\w.]+' wasn't found",
        )
    )
)
_OWN_TRACE = re.compile(r"Tracing has been already started|is already (being )?traced")
_CLOSED = re.compile(r"Target (page, context or browser has been )?closed|has been closed|Connection closed|connection closed")
_NOT_ASSERTED = re.compile(r"(Locator|Page) expected [^\n]*\nActual value: None")
"""What is left of an assertion that the driver refused: Playwright drops the reason."""
_CRASHED = re.compile(r"(Page|Target) crashed")


def explain_failure(
    error: BaseException,
    file: str,
    crashed: str | None = None,
    connected: bool = True,
    starved: bool = False,
    obstacle: str | None = None,
) -> Failure:
    """Why a journey in `file` stopped.

    `crashed` is the address of a page whose renderer crashed meanwhile; `connected` is False when the browser is gone; `starved`
    is True when the kernel's OOM killer has ended a process; `obstacle` says what keeps a page from being as awaited.
    """
    kind, message = _kind(error, crashed, connected)
    if starved and kind in {"crash", "browser"}:
        message = (
            f"the kernel's OOM killer ended the browser or one of its processes{f' at {crashed}' if crashed else ''}: run fewer "
            "journeys at a time (--workers), give the machine or the container more memory, or look for a leak in the page"
        )
    if _OWN_TRACE.search(message):
        message = f'{message}\nthe runner records a trace itself; set trace="off" for this journey (@journey(trace="off")) to record your own'
    if obstacle is not None and kind in {"timeout", "assertion"}:
        message = f"{message}\n{obstacle}"
    line = _line(error, file)
    return Failure(
        kind=kind,
        message=message,
        file=file if line else None,
        line=line,
        code=linecache.getline(file, line).strip() or None if line else None,
        url=crashed,
    )


def _kind(error: BaseException, crashed: str | None, connected: bool) -> tuple[FailureKind, str]:
    text = trim_message(_words(error))
    if isinstance(error, SystemExit):
        return _exit(error)
    if any(one.__name__ == "OutcomeException" for one in type(error).__mro__):
        name = type(error).__name__
        if text.endswith("from pytest-timeout."):
            return "deadline", text
        return _PYTEST.get(name, "journey"), text or name
    if isinstance(error, DeadlineReached):
        if error.waiting and not connected:
            return "browser", "the browser was gone while the journey was waiting for it: it was killed or it crashed"
        if error.waiting:
            return "timeout", f"the run was still waiting for the page when its timeout of {error.seconds:g} s expired"
        return (
            "deadline",
            f"the journey's own code was still running when the run's timeout of {error.seconds:g} s expired, and was ended",
        )
    if crashed is not None and isinstance(error, PlaywrightError | AssertionError):
        return "crash", (
            f"the renderer of {crashed} crashed: it ran out of memory or was killed; "
            f"give the machine more memory, or look for a leak in the page ({text.splitlines()[0]})"
        )
    if isinstance(error, PlaywrightError | AssertionError) and not connected:
        return (
            "browser",
            f"the browser was gone: it was killed or it crashed ({text.splitlines()[0] if text else 'no message'})",
        )
    if isinstance(error, PlaywrightTimeout):
        return "timeout", text
    if isinstance(error, PlaywrightError):
        return _playwright_kind(text), text
    if isinstance(error, AssertionError):
        if _NOT_ASSERTED.fullmatch(text):
            return "journey", f"{text}\nthe assertion was not made: one of its arguments, such as timeout, has the wrong type"
        return "assertion", text or "an assertion failed"
    if isinstance(error, BaseExceptionGroup):
        return _group(error, crashed, connected)
    if isinstance(error, GeneratorExit):
        return (
            "journey",
            f"GeneratorExit: {text or 'a generator of the journey was not run to its end; take all that it yields'}",
        )
    if isinstance(error, JourneyError):
        return "journey", text
    return "journey", f"{type(error).__name__}: {text}" if text else type(error).__name__


def _group(group: BaseExceptionGroup[BaseException], crashed: str | None, connected: bool) -> tuple[FailureKind, str]:
    """Several exceptions at once are the site's failure if each of them is."""
    found = [_kind(one, crashed, connected) for one in group.exceptions]
    worst = next((kind for kind, _ in found if kind not in SITE), found[0][0])
    return worst, trim_message("\n".join([f"{type(group).__name__}: {_words(group)}", *(text for _, text in found)]))


_PYTEST: dict[str, FailureKind] = {"Failed": "assertion", "Skipped": "journey", "Exit": "journey"}
"""What pytest's outcomes mean outside of pytest: `pytest.fail` judges the site; nothing else does."""


def _words(error: object) -> str:
    try:
        return str(error)
    except Exception as inner:  # noqa: BLE001 (an exception of the journey's own may fail in any way)
        return f"(its text cannot be had: {type(inner).__name__})"


def _exit(error: SystemExit) -> tuple[FailureKind, str]:
    code = error.code
    if code is None or (isinstance(code, int) and code == 0):
        return "journey", f"sys.exit({'' if code is None else 0}) ended the journey before its end; write `return`"
    return "assertion", f"sys.exit: {trim_message(_words(code))}"


def _playwright_kind(text: str) -> FailureKind:
    if _CRASHED.search(text):
        return "crash"
    first = text.partition("\n")[0]
    if _OWN_NETWORK.search(text) or _NO_PROGRAM.match(text):
        return "monitor"
    if _NO_SITE.search(first):
        return "journey"
    if _NAVIGATION.search(text):
        return "navigation"
    if _CLOSED.search(text) or _MISUSE.search(text):
        return "journey"
    return "page"


def trim_message(message: str) -> str:
    """Playwright's message without colour codes, empty lines, and the repeated tail of its call log; bounded, each line too.

    Playwright puts the page's whole text into it, of which one line alone can be megabytes.
    """
    lines = [bounded(line.rstrip(), LONGEST_LINE) for line in _ANSI.sub("", message).splitlines() if line.strip()]
    kept = list({line.strip(): line for line in reversed(lines)}.values())[::-1]
    if len(kept) > MESSAGE_LINES:
        kept = [*kept[: MESSAGE_LINES - 1], f"  … {len(kept) - MESSAGE_LINES + 1} more lines"]
    return tamed("\n".join(kept))


def _line(error: BaseException, file: str) -> int | None:
    """The innermost line of `file` on the way to the error."""
    wanted = Path(file)
    found = None
    traceback = error.__traceback__
    while traceback is not None:
        if Path(traceback.tb_frame.f_code.co_filename) == wanted:
            found = traceback.tb_lineno
        traceback = traceback.tb_next
    return found
