"""The policy of an app: which origins it admits, how its addresses are scrubbed and its pages named."""

import re
from hmac import compare_digest

from reports.collector.privacy.route_template import RouteTemplates
from reports.collector.privacy.scrubber import Scrubber
from runner.settings.sections.apps import App

LOOPBACK = re.compile(r"https?://(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?")


class Origins:
    """A list of origins as an app names them: `https://shop.example`, `https://*.shop.example`, `*`."""

    def __init__(self, listed: tuple[str, ...]) -> None:
        self._any = "*" in listed
        self._exact = frozenset(listed)
        self._below = [tuple(one.split("*", 1)) for one in listed if "://*." in one]

    def __contains__(self, origin: object) -> bool:
        """Whether a page of `origin` may send. `null`, which sandboxed frames and files say, is only in `*`."""
        if origin in self._exact or self._any:
            return True
        return any(
            isinstance(origin, str)
            and origin.startswith(head)
            and origin.endswith(tail)
            and len(origin) > len(head) + len(tail)
            for head, tail in self._below
        )


class Loopback(Origins):
    """Every page of this machine, for a collector that has no apps yet."""

    def __init__(self) -> None:
        super().__init__(())

    def __contains__(self, origin: object) -> bool:
        return isinstance(origin, str) and LOOPBACK.fullmatch(origin) is not None


class AppPolicy:
    """The state of an app while the collector runs."""

    def __init__(self, app: App, max_pages: int, origins: Origins | None = None) -> None:
        self.app = app
        self.origins = Origins(app.origins) if origins is None else origins
        self.cleaner = Scrubber(app.query_keys)
        self.templates = RouteTemplates(app.routes, max_pages)

    def knows(self, key: str) -> bool:
        """Whether a sender has the right key, if one is needed."""
        return not self.app.key or compare_digest(self.app.key.encode(), key.encode())
