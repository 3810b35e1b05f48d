"""A visitor of the shop: cart, sign-in and order, kept in memory by a session cookie."""

from secrets import token_urlsafe

from msgspec import Struct, field
from starlette.requests import Request
from starlette.responses import Response

from runner.demo.catalogue import BY_SLUG

COOKIE = "visitor"
KEPT = 10_000
EMAIL, PASSWORD = "tea@example.com", "oolong-and-milk"


class Visitor(Struct):
    """What the shop remembers of one browser."""

    key: str
    email: str | None = None
    cart: dict[str, int] = field(default_factory=dict)
    address: str = ""
    paid: bool = False

    @property
    def total(self) -> int:
        """The cart's value in euro cents."""
        return sum(BY_SLUG[slug].price * count for slug, count in self.cart.items())

    @property
    def count(self) -> int:
        """Pieces in the cart."""
        return sum(self.cart.values())


_visitors: dict[str, Visitor] = {}
_orders: dict[str, list[tuple[str, int]]] = {}


def recognise(request: Request) -> Visitor:
    """The visitor behind a request; a new one, not yet remembered, for a browser without the cookie."""
    return _visitors.get(request.cookies.get(COOKIE, "")) or Visitor(key=token_urlsafe(12))


def remember(visitor: Visitor, response: Response) -> Response:
    """Keeps the visitor, and gives the browser the cookie; the oldest is forgotten when there are too many."""
    _visitors[visitor.key] = visitor
    if len(_visitors) > KEPT:
        del _visitors[next(iter(_visitors))]
    response.set_cookie(COOKIE, visitor.key, httponly=True, samesite="lax")
    return response


def place_order(visitor: Visitor) -> str:
    """Turns the cart into an order; returns its number."""
    number = f"LK-{1000 + len(_orders)}"
    _orders[number] = list(visitor.cart.items())
    visitor.cart, visitor.paid, visitor.address = {}, False, ""
    return number


def order(number: str) -> list[tuple[str, int]] | None:
    """The products and counts of an order, None for an unknown number."""
    return _orders.get(number)
