"""What a browser engine cannot do that journeys may ask for: one table, and the error that names journey, option and engine."""

from collections.abc import Callable

from msgspec import Struct

from runner.dsl.journey import Journey
from runner.dsl.options import Options
from runner.errors import ConfigError
from runner.settings.parsers.values import Engine
from runner.settings.settings import Settings


class _Limit(Struct, frozen=True):
    """An option that needs certain engines."""

    option: str
    engines: tuple[Engine, ...]
    """Those that have it."""
    why: str
    asked: Callable[[Options], bool]
    """Whether a journey sets it to anything but what every browser does."""


_DEVTOOLS = "it is set by Chromium's DevTools protocol"
_LIMITS = (
    _Limit("network", ("chromium",), _DEVTOOLS, lambda given: given.network is not None and not given.network.offline),
    _Limit("cpu", ("chromium",), _DEVTOOLS, lambda given: given.cpu is not None),
    _Limit("http_cache", ("chromium",), _DEVTOOLS, lambda given: not given.http_cache),
    _Limit(
        "device",
        ("chromium", "webkit"),
        "Playwright shows no mobile pages in Firefox; choose a device that begins with 'Desktop', or set viewport",
        lambda given: given.device is not None and not given.device.startswith("Desktop"),
    ),
)


def check_engine(journey: Journey, engine: Engine, settings: Settings) -> None:
    """Raises ConfigError when the journey asks for what its engine cannot do."""
    for limit in _LIMITS:
        if engine not in limit.engines and limit.asked(journey.options):
            raise ConfigError(
                f"{journey.where}: option {limit.option}: {engine} does not have it for {journey.name}: {limit.why}"
            )
    for name, changed in (("ca_file", settings.ca_file is not None), ("http2", not settings.http2)):
        if engine != "chromium" and changed:
            raise ConfigError(
                f"{journey.where}: setting {name}: {engine} does not have it for {journey.name}: only Chromium is started with it"
            )
