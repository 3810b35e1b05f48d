"""Page views as a shop's visitors make them: for the benchmarks of the collector and of what it stores."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from reports.collector.accepted_beacon import Arrival, Device
from reports.collector.beacon import Beacon, Interaction, ScriptError, SlowRequest, View, Vital

SITE = "https://shop.example"
PAGES = ("/", "/item/:id", "/search", "/cart", "/checkout", *(f"/category/{number}/:id" for number in range(35)))
"""Of which the first are seen most, each half as often as the one before but two."""
BROWSERS: tuple[tuple[str, Device, str, int], ...] = (
    ("Chrome 156", "desktop", "Windows", 28), ("Chrome 156", "mobile", "Android", 26), ("Mobile Safari 26", "mobile", "iOS", 20),
    ("Safari 26", "desktop", "macOS", 8), ("Edge 156", "desktop", "Windows", 6), ("Firefox 150", "desktop", "Linux", 4),
    ("Samsung Internet 31", "mobile", "Android", 4), ("Mobile Safari 26", "tablet", "iPadOS", 3), ("Chrome 155", "tablet", "Android", 1),
)  # fmt: skip
ERRORS = ("x is undefined", "Failed to fetch", "order 4711 is gone", "null is not an object (evaluating 'a.b')")


class Visits:
    """A source of beacons, the same for the same seed. Ids are UUIDs of version 7, with the time that they are asked for."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._weights = [1 / (place // 2 + 1) for place in range(len(PAGES))]

    def identity(self, at: float) -> str:
        """An id made at a moment."""
        high = int(at * 1000) << 16 | 0x7000 | self._dice.getrandbits(12)
        text = f"{high:016x}{0x8 << 60 | self._dice.getrandbits(62):016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def session(self, at: float) -> Iterator[tuple[Arrival, float]]:
        """The beacons of one visitor, who comes at a moment: one for each page view, sent when it ends; and when."""
        dice = self._dice
        (browser, device, system, _) = dice.choices(BROWSERS, [one[3] for one in BROWSERS])[0]
        session = self.identity(at)
        slow = dice.lognormvariate(0, 0.35) * (1.5 if device == "mobile" else 1.0)
        for page in dice.choices(PAGES, self._weights, k=min(int(dice.expovariate(0.25)) + 1, 30)):
            stay = dice.uniform(3, 90)
            beacon = self._beacon(at, stay, session, page, slow)
            yield (
                Arrival(
                    beacon=beacon, received_at=datetime.fromtimestamp(at + stay, UTC), pages=(page,), browser=browser, system=system,
                    device=device,
                ),
                at + stay,
            )  # fmt: skip
            at += stay

    def _beacon(self, at: float, stay: float, session: str, page: str, slow: float) -> Beacon:
        dice = self._dice
        first = round(slow * dice.lognormvariate(-1.4, 0.3), 4)
        load = round(first + slow * dice.lognormvariate(-0.2, 0.4), 4)
        number = dice.randrange(100_000)
        stamp = f"v5-{int(at * 1000)}-{dice.randrange(10**12, 10**13)}"
        values: dict[Any, float] = {
            "ttfb": first,
            "fcp": first * 1.6,
            "lcp": load * 0.9,
            "cls": dice.expovariate(20),
            "inp": dice.lognormvariate(-2.3, 0.6),
        }
        clicks = dice.choice((0, 0, 1, 1, 2, 3))
        view = View(
            id=self.identity(at), url=f"{SITE}{page.replace(':id', str(number))}", started_at=at, title="Tea from small gardens",
            referrer=f"{SITE}/", ended=True, visible_seconds=round(stay, 2), status=200, protocol="h2",
            transfer_bytes=dice.randrange(20_000, 2_000_000),
            phases={
                "dns": 0.004, "connect": 0.021, "tls": 0.018, "request": round(first * 0.7, 4), "response": 0.031,
                "dom": round(load * 0.6, 4), "load": 0.012, "ttfb": first, "total": load,
            },
            vitals=tuple(
                Vital(name=name, id=f"{stamp[:-1]}{place}", value=round(value, 4), attribution=self._attribution(name, first, number))
                for place, (name, value) in enumerate(values.items())
                if name != "inp" or clicks
            ),
            interactions=tuple(
                Interaction(
                    type="click", at_seconds=round(dice.uniform(1, stay), 2), role="button", name=f"Add to cart {place}",
                    element=f"#add-{place}",
                )
                for place in range(clicks)
            ),
            interaction_counts={"click": clicks} if clicks else {},
            errors=(ScriptError(kind="error", type="TypeError", message=dice.choice(ERRORS), stack="at f (app.js:1:2)\n" * 8),)
            if dice.random() < 0.03
            else (),
            requests=(SlowRequest(url=f"{SITE}/api/{number}", kind="fetch", status=503, duration_seconds=1.2),)
            if dice.random() < 0.05
            else (),
        )  # fmt: skip
        week = int(at // 604_800)
        return Beacon(
            id=self.identity(at + stay), app="shop", session=session, sent_at=at + stay, views=(view,), release=f"2026.{week % 53}",
            environment="production", viewport=(1280, 720), connection="4g",
        )  # fmt: skip

    def _attribution(self, name: Any, first: float, number: int) -> dict[str, str | float]:
        if name == "lcp":
            parts = {
                "timeToFirstByte": first,
                "resourceLoadDelay": 0.08,
                "resourceLoadDuration": 0.2,
                "elementRenderDelay": 0.03,
            }
            return {"target": "main>section.hero>img", "url": f"{SITE}/img/{number}.jpg", **parts}
        if name == "inp":
            return {"target": "main>form>button.add", "inputDelay": 0.01, "processingDuration": 0.05, "presentationDelay": 0.02}
        return {"target": "main>div.list"} if name == "cls" else {}
