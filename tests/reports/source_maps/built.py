"""Source maps as bundlers write them, made by hand: which place of a served script is which line of the original."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import select

from reports.source_maps.grouping import explain_errors
from reports.source_maps.map_store import FOLDER, MapAbout, MapStore
from reports.source_maps.resolver import resolve
from runner.store.tables.page_views import reasons
from tests.support.services.dashboard import Visited

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
PAY = """\
import { price } from "./price";

export function pay(order) {
  const total = price(order);
  return total.amount;
}
"""
PRICE = """\
export function price(order) {
  return order.items.map((item) => item.price);
}
"""
VENDOR = "module.exports = function render(view) {\n  view();\n};\n"
SOURCES = {
    "webpack://shop/./src/pay.ts": PAY,
    "webpack://shop/./src/price.ts": PRICE,
    "webpack://shop/./node_modules/ui/index.js": VENDOR,
}


def encode(*numbers: int) -> str:
    """A segment of mappings: Base64 VLQ (ECMA-426)."""
    text = ""
    for number in numbers:
        left = (-number << 1) | 1 if number < 0 else number << 1
        while True:
            digit, left = left & 31, left >> 5
            text += DIGITS[digit | 32 if left else digit]
            if not left:
                break
    return text


def make_map(places: Sequence[tuple[int, str, int, str]], sources: dict[str, str] | None = None, **more: Any) -> bytes:
    """The map of a script in one line: from each column (from 1) it is a line (from 1) of a source, with the name that was called there."""
    known = SOURCES if sources is None else sources
    names: list[str] = []
    segments = []
    before = [0, 0, 0, 0, 0]
    for column, source, line, name in sorted(places):
        now = [column - 1, list(known).index(source), line - 1, 2]
        if name:
            names += [] if name in names else [name]
            now.append(names.index(name))
        segments.append(encode(*(value - before[place] for place, value in enumerate(now))))
        before[: len(now)] = now
    made = {"version": 3, "file": "app.js", "sources": list(known), "sourcesContent": list(known.values()), "names": names}
    return msgspec.json.encode(made | {"mappings": ",".join(segments)} | more)


def shop_map(shift: int = 0, **more: Any) -> bytes:
    """The map of the shop's script: `pay` calls `price`, which fails; `render` of a package has called `pay`."""
    pay, price, vendor = SOURCES
    places = [(1, pay, 1, ""), (100, price, 2, ""), (200, pay, 4, "price"), (300, vendor, 2, "pay"), (400, pay, 5, "")]
    return make_map([(column + shift, *rest) for column, *rest in places], **more)  # type: ignore[misc]


def stack(script: str = "https://shop.example/assets/app.1a2b3c4d.js", shift: int = 0, message: str = "x is undefined") -> str:
    """What Chromium reports of it."""
    places = (("a", 104), ("b", 205), ("c", 310))
    lines = [f"    at {name} ({script}:1:{column + shift})" for name, column in places]
    return "\n".join([f"TypeError: {message}", *lines])


def explain_shop(served: Visited, release: str = "2.0") -> dict[str, str]:
    """Has the errors of a release explained by the shop's map; decides about one of them. The id of each error by its message."""
    maps = MapStore(served.store, served.archive.folder / FOLDER)
    maps.put(MapAbout(release=release, script="assets/app.1a2b3c4d.js"), shop_map(), "ada", time.time())
    while explain_errors(served.store, maps, lambda lookups: [resolve(one) for one in lookups]).reasons:
        pass
    with served.store.connected() as connection:
        found = {row.message: row.error_group for row in connection.execute(select(reasons.c.message, reasons.c.error_group))}
    note, now = "Kartenzahlungsfehlerbehandlung überarbeitet", datetime.now(UTC)
    served.store.error_states.decide(found["the card is refused"], "shop", "resolved", release, "ada", note, now)
    return found
