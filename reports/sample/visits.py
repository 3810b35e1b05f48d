"""Made-up visits of the demo's shop, as the collector would have accepted them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from reports.collector.accepted_beacon import Arrival, Device
from reports.collector.beacon import Beacon, ScriptError, SlowRequest, View, Vital
from reports.collector.privacy.route_template import route_template
from reports.sample.broken_script import COLUMN, FUNCTION, LINE, MESSAGE, SCRIPT
from reports.sample.calendar import BROKEN_PAGE, ENVIRONMENT, HOURS, OUTAGE, SLOW_RELEASE, busyness, release_at
from reports.sample.clicks import make_sample_clicks
from runner.archive.run_id import run_id

MOST = 9
"""Visits in the busiest hour."""
BROWSERS: tuple[tuple[str, Device, str, int], ...] = (
    ("Chrome 156", "desktop", "Windows", 30),
    ("Chrome 156", "mobile", "Android", 28),
    ("Mobile Safari 26", "mobile", "iOS", 22),
    ("Safari 26", "desktop", "macOS", 10),
    ("Firefox 150", "desktop", "Linux", 6),
    ("Edge 156", "desktop", "Windows", 4),
)
TEAS = ("sencha", "genmaicha", "oolong", "kettle")
WALKS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("/",), 5),
    (("/", "/search", "/product/TEA"), 6),
    (("/", "/product/TEA", "/", "/product/TEA"), 4),
    (("/app", "/app/item/TEA"), 3),
    (("/product/TEA", "/cart", "/login", "/checkout", "/checkout/payment", "/checkout/done"), 4),
    (("/product/cracked-teapot",), 1),
)
"""The pages of a visit, and how many of all visits go there."""
GIVEN_UP = 0.12
"""The share of visitors who leave before each step of the checkout."""


def make_sample_visits(site: str, end: datetime, app: str = "shop") -> Iterator[Arrival]:
    """A beacon for each page view of the week before `end` on a site; by the hour, the oldest first. The same walks each time."""
    dice = Random(app)  # noqa: S311 (it must be the same again)
    for hour in range(HOURS, 0, -1):
        for _ in range(1 + round(MOST * busyness(end, hour) * dice.uniform(0.7, 1.2))):
            at = end - timedelta(hours=hour) + timedelta(seconds=dice.uniform(0, 3000))
            yield from Visit(dice, site, app, at, hour).walk(end)


class Visit:
    """One visitor: a browser, a line, a session."""

    def __init__(self, dice: Random, site: str, app: str, at: datetime, hour: int) -> None:
        self._dice = dice
        self._site = site
        self._app = app
        self._at = at
        self._hour = hour
        self._release = release_at(hour)
        self._session = run_id(at)
        self._browser = dice.choices(BROWSERS, [one[3] for one in BROWSERS])[0]
        slow = 1.9 if self._release == SLOW_RELEASE else 1.0
        self._pace = slow * dice.lognormvariate(0, 0.35) * (1.5 if self._browser[1] == "mobile" else 1.0)

    def walk(self, end: datetime) -> Iterator[Arrival]:
        """A beacon for each page, as far as the visit was over before `end`."""
        dice = self._dice
        walks = [walk for walk, _ in WALKS]
        for page in dice.choices(walks, [weight for _, weight in WALKS])[0]:
            if self._hour in OUTAGE and page == "/checkout/done":
                return
            if page.startswith("/checkout") and dice.random() < GIVEN_UP:
                return
            stay = dice.uniform(4, 60)
            left = self._at + timedelta(seconds=stay)
            if left >= end:
                return
            path = page.replace("TEA", dice.choice(TEAS))
            yield self._report(path, stay, left)
            self._at = left

    def _report(self, path: str, stay: float, left: datetime) -> Arrival:
        browser, device, system, _ = self._browser
        view = self._view(path, stay)
        beacon = Beacon(
            id=run_id(left),
            app=self._app,
            session=self._session,
            sent_at=left.timestamp(),
            views=(view,),
            release=self._release,
            environment=ENVIRONMENT,
            viewport=(390, 844) if device == "mobile" else (1440, 900),
            connection="4g",
        )
        template = route_template(path)
        return Arrival(
            beacon=beacon, received_at=left.astimezone(UTC), pages=(template,), browser=browser, system=system, device=device
        )

    def _view(self, path: str, stay: float) -> View:
        dice, broken = self._dice, path == "/product/cracked-teapot" and self._hour <= BROKEN_PAGE
        paying_fails = self._hour in OUTAGE and path == "/checkout/payment"
        first = 0.16 * self._pace * dice.lognormvariate(0, 0.3)
        load = first + 0.7 * self._pace * dice.lognormvariate(0, 0.4)
        interactions = () if broken else make_sample_clicks(dice, path, stay, paying_fails)
        clicks = sum(one.type == "click" for one in interactions)
        values: dict[Any, float] = {
            "ttfb": first, "fcp": 1.6 * first, "lcp": 0.9 * load, "cls": dice.expovariate(25),
            **({"inp": dice.lognormvariate(-2.4, 0.6) * self._pace} if clicks else {}),
        }  # fmt: skip
        errors: tuple[ScriptError, ...] = ()
        if self._release == SLOW_RELEASE and path == "/checkout" and dice.random() < 0.5:
            errors = (
                ScriptError(
                    kind="error", type="TypeError", message=MESSAGE, at_seconds=1.2,
                    stack=f"TypeError: {MESSAGE}\n    at {FUNCTION} ({self._site}/{SCRIPT}:{LINE}:{COLUMN})",
                    source=f"{self._site}/{SCRIPT}", line=LINE, column=COLUMN,
                ),
            )  # fmt: skip
        return View(
            id=run_id(self._at),
            url=f"{self._site}{path}",
            started_at=self._at.timestamp(),
            title="Leaf & Kettle",
            ended=True,
            visible_seconds=round(stay, 2),
            status=500 if broken else 200,
            protocol="h2",
            transfer_bytes=dice.randrange(20_000, 200_000),
            phases={"request": 0.7 * first, "response": 0.02, "dom": 0.6 * load, "load": 0.01, "ttfb": first, "total": load},
            vitals=tuple(
                Vital(name=name, id=f"v5-{run_id(self._at)}", value=round(value, 4)) for name, value in values.items()
            ),
            interactions=interactions,
            interaction_counts={"click": clicks} if clicks else {},
            errors=errors,
            requests=(
                SlowRequest(
                    url=f"{self._site}/api/checkout/finish",
                    method="POST",
                    kind="fetch",
                    at_seconds=2.1,
                    status=503,
                    duration_seconds=1.8,
                ),
            )
            if paying_fails
            else (),
        )
