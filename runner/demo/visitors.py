"""`python -m runner.demo.visitors`: sends many simulated visitors through the shop, in a real Chromium.

Each has a browser of their own (window, language, line) and a behaviour of `runner.demo.behaviour`. Which visitors come and what they do
follows from the seed alone; how long it takes does not. They look like people to a collector: Chromium does not say that a
program drives it, and calls itself as one with a window does.
"""

import argparse
import asyncio
import re
from collections import Counter
from random import Random
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from msgspec import Struct, field
from playwright.async_api import Browser, async_playwright
from playwright.async_api import Error as PlaywrightError

from runner.browser.chromium import find
from runner.demo.behaviour import BEHAVIOURS, Visit
from runner.errors import ConfigError, JourneyError

PHONES = 0.35
"""The share of visitors with a phone."""
WINDOWS = ((1280, 720), (1440, 900), (1536, 864), (1920, 1080))
SCREENS = ((360, 800), (390, 844), (412, 915))
LANGUAGES = ("de-DE", "en-GB", "en-US", "fr-FR", "ja-JP")
DESKTOPS = ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7")
PHONE = "Linux; Android 10; K"
LEAVING = 250
"""Milliseconds in which the last beacon of a tab gets away."""
PATIENCE = 15_000


class VisitorKind(Struct, frozen=True):
    """A kind of visitor: what their Chromium calls itself, the options of its context, and the name of what they do."""

    user_agent: str
    context: dict[str, Any]
    behaviour: str


def visitor(seed: int, number: int, version: str) -> tuple[VisitorKind, Random]:
    """The visitor of a number, always the same for a seed, and the chance that guides them.

    >>> visitor(1, 7, "156")[0] == visitor(1, 7, "156")[0]
    True
    """
    chance = Random(f"{seed}/{number}")  # noqa: S311 (it must be the same again)
    phone = chance.random() < PHONES
    width, height = chance.choice(SCREENS if phone else WINDOWS)
    system = PHONE if phone else chance.choice(DESKTOPS)
    behaviour = chance.choices(list(BEHAVIOURS), list(BEHAVIOURS.values()))[0]
    mobile = " Mobile" if phone else ""
    user_agent = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0{mobile} Safari/537.36"
    context = {
        "user_agent": user_agent,
        "viewport": {"width": width, "height": height},
        "is_mobile": phone,
        "has_touch": phone,
        "locale": chance.choice(LANGUAGES),
    }
    return VisitorKind(user_agent, context, behaviour.__name__), chance


class VisitCount(Struct):
    """What has been done so far."""

    visitors: int = 0
    pages: int = 0
    behaviours: Counter[str] = field(default_factory=Counter)
    given_up: int = 0


async def visit(browser: Browser, shop: str, who: VisitorKind, chance: Random, pace: float, tally: VisitCount) -> None:
    """One visit from its first page to the tab's end."""
    context = await browser.new_context(**who.context)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    tab = Visit(page, shop, chance, pace)
    try:
        await next(one for one in BEHAVIOURS if one.__name__ == who.behaviour)(tab)
        await page.goto("about:blank")
        await page.wait_for_timeout(LEAVING)
    except PlaywrightError:
        # On a machine that is busy a page may not come in time: so it is with people, who then go.
        tally.given_up += 1
    finally:
        await context.close()
    tally.visitors += 1
    tally.pages += tab.pages
    tally.behaviours[who.behaviour] += 1


async def send(shop: str, visitors: int, workers: int, seed: int = 1, pace: float = 1.0) -> VisitCount:
    """Sends so many visitors through the shop, `workers` at a time; `pace` stretches the time in which they look (1 is 2 s a page).

    Raises BrowserNotFound where there is no Chromium, ConfigError when nobody answers at the shop's address.
    """
    await asyncio.to_thread(_ask, shop)
    tally = VisitCount()
    numbers = iter(range(visitors))
    program = find()
    version = "".join(re.findall(r"\d+", await asyncio.to_thread(program.version))[:1])
    async with async_playwright() as playwright:
        browsers: dict[str, Browser] = {}
        starting = asyncio.Lock()

        async def browser_of(who: VisitorKind) -> Browser:
            # One for each name: what a page sends while it goes bears that of the browser, whatever its context says.
            async with starting:
                if who.user_agent not in browsers:
                    # Chromium must not announce that a program drives it, or every visitor would count as a bot.
                    arguments = ["--disable-blink-features=AutomationControlled", f"--user-agent={who.user_agent}"]
                    browsers[who.user_agent] = await playwright.chromium.launch(executable_path=program.path, args=arguments)
            return browsers[who.user_agent]

        async def work() -> None:
            for number in numbers:
                who, chance = visitor(seed, number, version)
                await visit(await browser_of(who), shop, who, chance, pace, tally)

        await asyncio.gather(*(work() for _ in range(workers)))
        for browser in browsers.values():
            await browser.close()
    return tally


def _ask(shop: str) -> None:
    try:
        with urlopen(f"{shop}/healthz", timeout=5):  # noqa: S310 (the address that the user gave)
            return
    except (URLError, ValueError) as error:
        raise ConfigError(
            f"--shop {shop}: nobody answers there ({error}); start the shop with `python -m runner.demo --port 8000`"
        ) from error


def main() -> None:
    """Prints what was done."""
    parser = argparse.ArgumentParser(
        prog="python -m runner.demo.visitors", description="Send simulated visitors through the shop."
    )
    parser.add_argument("--shop", required=True, help="the shop's address, such as http://127.0.0.1:8000")
    parser.add_argument("--visitors", type=_positive, default=50)
    parser.add_argument("--workers", type=_positive, default=2, help="how many at a time")
    parser.add_argument("--seed", type=int, default=1, help="another one sends others")
    parser.add_argument("--pace", type=_pace, default=1.0, help="how long they look at a page: 1 is about 2 s, 0 not at all")
    given = parser.parse_args()
    try:
        tally = asyncio.run(send(given.shop.rstrip("/"), given.visitors, given.workers, given.seed, given.pace))
    except JourneyError as error:
        parser.exit(2, f"{error}\n")
    behaviours = ", ".join(f"{count} {name}" for name, count in tally.behaviours.most_common())
    print(f"{tally.visitors} visitors looked at {tally.pages} pages ({behaviours}); {tally.given_up} gave up")


def _positive(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given!r} is not a whole number above 0")
    return int(given)


def _pace(given: str) -> float:
    try:
        pace = float(given)
    except ValueError:
        pace = -1.0
    if not 0 <= pace <= 1000:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number from 0 to 1000")
    return pace


if __name__ == "__main__":
    main()
