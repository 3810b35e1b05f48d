"""Visitors with a script: each walk goes its own way, by a number that decides what is looked at, typed, ticked, and how."""

from collections.abc import Callable
from random import Random

from msgspec import Struct
from playwright.sync_api import FrameLocator, Locator, Page, expect

Walk = Callable[..., None]
"""Takes the page, and `chance`."""
THINKING = 120.0
"""Milliseconds between two things that a visitor does."""


class Site(Struct, frozen=True):
    """A site's walks, and what its visitors type, by the names that fields get in a journey."""

    name: str
    walks: tuple[Walk, ...]
    typed: dict[str, str]


done: list[str] = []
"""What the visitor at hand has done that a journey has to do too; emptied by who counts it."""


def open_(page: Page, path: str) -> None:
    """An address in the address bar."""
    done.append("goto")
    page.goto(path)


def back(page: Page) -> None:
    """The browser's button."""
    done.append("back")
    page.wait_for_timeout(300)
    page.go_back()


def enter(page: Page) -> None:
    """The Enter key, in the field at hand."""
    done.append("press")
    page.keyboard.press("Enter")


def choose(field: Locator, option: str) -> None:
    """An option of a list, by its first letters: what Playwright chooses cannot be distinguished from what a script chooses."""
    done.append("select")
    field.focus()
    field.page.keyboard.type(option)


def tick(field: Locator) -> None:
    """A box."""
    done.append("check")
    field.check()


def type_(field: Locator, text: str, chance: Random) -> None:
    """Letter by letter, or pasted; sometimes after a first try, or a click into the field."""
    done.append("fill")
    field.page.wait_for_timeout(THINKING)
    if chance.random() < 0.5:
        field.click()
    if chance.random() < 0.3:
        field.press_sequentially(text[:3], delay=10)
    if chance.random() < 0.5:
        field.fill(text)
    else:
        field.fill("")
        field.press_sequentially(text, delay=10)


def press(where: Locator, chance: Random) -> None:
    """A click, after a look around: pointer, wheel, a click beside it."""
    done.append("click")
    page = where.page
    page.wait_for_timeout(THINKING)
    if chance.random() < 0.4:
        page.mouse.move(chance.randint(10, 600), chance.randint(300, 600))
        page.mouse.wheel(0, 40)
    if chance.random() < 0.2:
        page.mouse.click(1270, 700)
    where.click()


def shop_search(page: Page, chance: Random) -> None:
    open_(page, "/")
    type_(page.get_by_role("searchbox", name="Search the shop"), "green tea", chance)
    if chance.random() < 0.5:
        enter(page)
    else:
        press(page.get_by_role("button", name="Search"), chance)
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    press(page.locator("main li a").first, chance)
    press(page.get_by_role("button", name="Add to cart"), chance)
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()


def shop_browse(page: Page, chance: Random) -> None:
    open_(page, "/")
    press(page.get_by_role("link", name="Browse"), chance)
    type_(page.get_by_label("What are you looking for?"), "green tea", chance)
    press(page.get_by_role("button", name="Find"), chance)
    press(page.locator(".items a").nth(chance.randint(0, 1)), chance)
    expect(page.get_by_role("link", name="Back to the list")).to_be_visible()
    if chance.random() < 0.5:
        press(page.get_by_role("link", name="Back to the list"), chance)
    else:
        back(page)
    expect(page.get_by_role("heading", name="Browse")).to_be_visible()


def shop_buy(page: Page, chance: Random) -> None:
    open_(page, f"/product/{chance.choice(['oolong', 'sencha', 'lapsang'])}")
    press(page.get_by_role("button", name="Add to cart"), chance)
    press(page.get_by_role("link", name="Check out"), chance)
    type_(page.get_by_label("Email"), "tea@example.com", chance)
    type_(page.get_by_label("Password"), "oolong-and-milk", chance)
    if chance.random() < 0.5:
        enter(page)
    else:
        press(page.get_by_role("button", name="Sign in"), chance)
    type_(page.get_by_label("Address"), "1 Camellia Road", chance)
    press(page.get_by_role("button", name="Continue to payment"), chance)
    payment: FrameLocator = page.frame_locator("iframe[title=Payment]")
    type_(payment.get_by_label("Card number"), "4242 4242 4242 4242", chance)
    press(payment.get_by_role("button", name="Pay now"), chance)
    with page.expect_popup() as popup:
        press(page.get_by_role("button", name="Open receipt"), chance)
    expect(popup.value.get_by_role("heading", name="Receipt")).to_be_visible()


def library_find(page: Page, chance: Random) -> None:
    open_(page, "/")
    press(page.get_by_role("link", name="See all books"), chance)
    if chance.random() < 0.5:
        type_(page.get_by_label("Title"), "the", chance)
    choose(page.get_by_label("Kind"), "novel")
    press(page.get_by_role("button", name="Find"), chance)
    expect(page.get_by_text("2 found")).to_be_visible()
    if chance.random() < 0.5:
        press(page.get_by_role("link", name="The Last Lighthouse"), chance)
        press(page.get_by_role("button", name="Put on my list"), chance)
    else:
        press(page.get_by_role("row", name="Last Lighthouse").get_by_role("button"), chance)
    expect(page.get_by_role("heading", name="My list")).to_be_visible()


def library_card(page: Page, chance: Random) -> None:
    open_(page, chance.choice(["/", "/books", "/list"]))
    press(page.get_by_role("link", name="Get a card"), chance)
    type_(page.get_by_label("Full name"), "Ada Reader", chance)
    type_(page.get_by_placeholder("E-mail address"), "ada@example.com", chance)
    if chance.random() < 0.6:
        press(page.get_by_text("South"), chance)
    if chance.random() < 0.5:
        type_(page.get_by_label("Notes"), "By post, please", chance)
    if chance.random() < 0.5:
        press(page.get_by_text("I accept the rules"), chance)
    else:
        tick(page.get_by_role("checkbox"))
    press(page.get_by_role("button", name="Ask for a card"), chance)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def tickets_close(page: Page, chance: Random) -> None:
    open_(page, "/")
    if chance.random() < 0.5:
        type_(page.get_by_label("Filter"), "coffee", chance)
    if chance.random() < 0.5:
        choose(page.get_by_label("Priority"), "low")
    press(page.get_by_role("link", name="Coffee machine is slow"), chance)
    press(page.get_by_text("Close it"), chance)
    press(page.get_by_role("dialog").get_by_role("button", name="Yes"), chance)
    expect(page.get_by_text("Closed")).to_be_visible()
    press(page.get_by_role("link", name="All tickets"), chance)
    tick(page.get_by_label("Closed ones too"))
    expect(page.get_by_role("heading", name="Tickets")).to_be_visible()


def tickets_make(page: Page, chance: Random) -> None:
    open_(page, "/")
    press(page.get_by_role("link", name="New", exact=True), chance)
    type_(page.get_by_label("Title"), "Window is stuck", chance)
    press(page.get_by_text(chance.choice(["low", "high"])), chance)
    if chance.random() < 0.5:
        press(page.get_by_role("button", name="Save ticket"), chance)
    else:
        page.get_by_label("Title").focus()
        enter(page)
    for _ in range(chance.randint(1, 2)):
        type_(page.get_by_label("Note"), "Seen by the janitor", chance)
        if chance.random() < 0.5:
            enter(page)
        else:
            press(page.get_by_role("button", name="Add note"), chance)
    expect(page.get_by_text("Note 1")).to_be_visible()


def hotel_book(page: Page, chance: Random) -> None:
    open_(page, "/")
    type_(page.get_by_label("Guest"), "Ada Guest", chance)
    for _ in range(chance.randint(1, 2)):
        press(page.get_by_role("button", name="More nights"), chance)
    if chance.random() < 0.5:
        tick(page.get_by_label("With breakfast"))
    if chance.random() < 0.5:
        choose(page.get_by_label("Bed"), "Double")
    press(page.get_by_test_id("next"), chance)
    expect(page.get_by_role("heading", name="Extras")).to_be_visible()
    if chance.random() < 0.7:
        parking = page.frame_locator("iframe[title=Parking]")
        type_(parking.get_by_label("Plate"), "B-AD 4711", chance)
        press(parking.get_by_role("button", name="Reserve"), chance)
    if chance.random() < 0.7:
        wishes = page.frame_locator("iframe[title=Wishes]")
        tick(wishes.get_by_label("Quiet room"))
        press(wishes.get_by_role("button", name="Keep wishes"), chance)
    press(page.get_by_role("link", name="Go to the summary"), chance)
    expect(page.get_by_role("heading", name="Summary")).to_be_visible()


SHOP = Site(
    "shop",
    (shop_search, shop_browse, shop_buy),
    {"search": "green tea", "search_the_shop": "green tea", "email": "tea@example.com", "address": "1 Camellia Road"},
)
LIBRARY = Site(
    "library (server-rendered)",
    (library_find, library_card),
    {
        "title": "the",
        "full_name": "Ada Reader",
        "email": "ada@example.com",
        "e_mail_address": "ada@example.com",
        "notes": "By post",
    },
)
TICKETS = Site(
    "tickets (React, Vite)",
    (tickets_close, tickets_make),
    {"filter": "coffee", "title": "Window is stuck", "note": "Seen by the janitor"},
)
HOTEL = Site("hotel (shadow DOM, frames)", (hotel_book,), {"guest": "Ada Guest", "plate": "B-AD 4711"})
SECRETS = {"JOURNEY_SECRET_PASSWORD": "oolong-and-milk", "JOURNEY_SECRET_CARD_NUMBER": "4242 4242 4242 4242"}
