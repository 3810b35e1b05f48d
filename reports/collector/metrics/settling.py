"""Values that may still change, held until they are final.

A page reports a vital again under the same id when it changes; a histogram cannot take an observation back. So a value is observed
once, when its view has ended or nothing was reported about it for some time. What arrives later is stored, not observed.
"""

from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

VIEWS = 20_000
"""Views that are held; when there are more, the one without a report for longest is observed early."""
REMEMBERED = 50_000
"""Views whose observed values are remembered."""


class Held(Struct, frozen=True):
    """A value on its way into a histogram."""

    app: str
    page: str
    name: str
    value: float
    session: str


class _View(Struct):
    at: float
    values: dict[str, Held]


class Settling:
    """Holds the values of views for `seconds`; `give` takes each when it is final."""

    def __init__(self, seconds: float, give: Callable[[Held], None], views: int = VIEWS, remembered: int = REMEMBERED) -> None:
        self._seconds = seconds
        self._give = give
        self._limit = views
        self._remembered = remembered
        self._views: OrderedDict[str, _View] = OrderedDict()
        self._given: OrderedDict[str, frozenset[str]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._views)

    def first(self, view: str, name: str) -> bool:
        """Whether `name` is reported for the view for the first time, and so counts."""
        given = self._given.pop(view, frozenset())
        self._given[view] = given | {name}
        if len(self._given) > self._remembered:
            self._given.popitem(last=False)
        return name not in given

    def hold(self, view: str, values: list[Held], now: float, ended: bool = False) -> None:
        """Takes what is new of a view at `now`, a monotonic clock's time; observes all of it when the view has `ended`."""
        held = self._views.pop(view, None)
        if held is None:
            held = _View(now, {})
        held.at = now
        held.values.update((one.name, one) for one in values)
        if ended:
            self._finish(view, held)
        elif held.values:
            self._views[view] = held
            if len(self._views) > self._limit:
                self._finish(*self._views.popitem(last=False))

    def settle(self, now: float) -> None:
        """Observes values without a report for long enough."""
        while self._views:
            oldest = next(iter(self._views.values()))
            if oldest.at > now - self._seconds:
                return
            self._finish(*self._views.popitem(last=False))

    def finish(self) -> None:
        """Observes everything."""
        self.settle(float("inf"))

    def _finish(self, view: str, held: _View) -> None:
        for one in held.values.values():
            if self.first(view, one.name):
                self._give(one)
