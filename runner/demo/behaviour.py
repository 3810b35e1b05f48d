"""What visitors of the shop do: each behaviour is a walk in a tab, with pauses in which a person would look."""

from collections.abc import Awaitable, Callable
from random import Random

from playwright.async_api import Page

from runner.demo.catalogue import PRODUCTS
from runner.demo.visitor import EMAIL, PASSWORD

TEXTS = ("tea", "green tea", "black tea", "teaware", "mint", "coffee", "kettle")
SLOW = (0, 0, 0, 0, 0, 200, 600, 1500, 3000)
"""Milliseconds by which a page is held back, as often as it happens."""


class Visit:
    """One visitor's tab, and how this visitor is: patient or not, on a slow line or not."""

    def __init__(self, page: Page, shop: str, chance: Random, pace: float) -> None:
        self.page = page
        self.shop = shop
        self.chance = chance
        self._pace = pace
        self.pages = 0

    async def look(self, seconds: float = 2.0) -> None:
        """Looks at the page for about so long."""
        await self.page.wait_for_timeout(1000 * self._pace * seconds * self.chance.uniform(0.3, 1.7))

    async def open(self, path: str) -> None:
        """Opens a page of the shop, now and then a slow one."""
        delay = self.chance.choice(SLOW)
        joint = "&" if "?" in path else "?"
        await self.page.goto(f"{self.shop}{path}{joint}delay={delay}" if delay else f"{self.shop}{path}")
        self.pages += 1
        await self.look()

    async def press(self, name: str, role: str = "button") -> None:
        """Clicks a button or a link by its name, and looks at what it has led to."""
        await self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        await self.page.wait_for_load_state()
        self.pages += 1
        await self.look()


async def bounce(visit: Visit) -> None:
    """Comes, sees, goes."""
    await visit.open(visit.chance.choice(["/", f"/product/{visit.chance.choice(PRODUCTS).slug}"]))


async def browse(visit: Visit) -> None:
    """Goes from one product to the next, and back with the browser's own button."""
    await visit.open("/")
    for product in visit.chance.sample(PRODUCTS, visit.chance.randint(1, 4)):
        await visit.press(product.name, "link")
        await visit.page.go_back()
        await visit.look(0.5)


async def search(visit: Visit) -> None:
    """Types into the search field, and opens what it found."""
    await visit.open("/")
    for text in visit.chance.sample(TEXTS, visit.chance.randint(1, 2)):
        field = visit.page.get_by_role("searchbox").first
        await field.fill(text)
        await field.press("Enter")
        await visit.page.wait_for_url("**/search**")
        visit.pages += 1
        await visit.look()
    found = visit.page.locator("main .card a")
    if await found.count():
        await found.first.click()
        await visit.look()


async def wander(visit: Visit) -> None:
    """Uses the single-page search, where every page is a route."""
    await visit.open("/app")
    await visit.page.get_by_label("What are you looking for?").fill(visit.chance.choice(TEXTS[:5]))
    await visit.page.get_by_role("button", name="Find").click()
    await visit.look(1)
    found = visit.page.locator(".items a")
    if await found.count():
        await found.first.click()
        visit.pages += 1
        await visit.look()
        await visit.page.get_by_role("link", name="Back to the list").click()
        await visit.look(1)


async def buy(visit: Visit) -> None:
    """Fills the cart, signs in, pays; some stop before the end."""
    await visit.open(f"/product/{visit.chance.choice(PRODUCTS).slug}")
    await visit.press("Add to cart")
    if visit.chance.random() < 0.3:
        return
    await visit.press("Check out", "link")
    await visit.page.get_by_label("Email").fill(EMAIL)
    await visit.page.get_by_label("Password").fill(PASSWORD)
    await visit.press("Sign in")
    await visit.page.get_by_label("Address").fill("1 Camellia Road")
    await visit.page.get_by_role("button", name="Continue to payment").click()
    await visit.look(1)
    if visit.chance.random() < 0.2:
        return
    payment = visit.page.frame_locator("iframe[title=Payment]")
    await payment.get_by_label("Card number").fill("4242 4242 4242 4242")
    await payment.get_by_role("button", name="Pay now").click()
    await visit.page.get_by_role("heading", name="Thank you").wait_for()
    await visit.look(1)


async def stumble(visit: Visit) -> None:
    """Meets what is broken: a page that is not there, one that fails, scripts that throw, requests that are refused."""
    path = visit.chance.choice(
        ["/nowhere", "/product/cracked-teapot", "/switch/js-error", "/switch/onerror", "/switch/requests?delay=1200"]
    )
    await visit.open("/")
    await visit.page.goto(visit.shop + path)
    visit.pages += 1
    if "onerror" in path or "requests" in path:
        await visit.page.locator("#go").click()
        await visit.look(1)
        await visit.page.wait_for_timeout(1500 if "requests" in path else 0)
    await visit.look()


BEHAVIOURS: dict[Callable[[Visit], Awaitable[None]], int] = {bounce: 5, browse: 6, search: 4, wander: 3, buy: 3, stumble: 2}
"""Each behaviour with its share of all visitors."""
