"""Source maps as bundlers write them, made by hand: which place of a served script is which line of the original."""

from collections.abc import Sequence
from typing import Any

import msgspec

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
