"""Playwright's driver gets a minimal environment, in a process that imports this module before it starts a driver.

Playwright has no option for it and passes on the environment of the process, with every secret in it.
"""

import os
from collections.abc import Callable

from playwright._impl import transport

from runner.browser.environment import driver_environment, find_cache

_complete: Callable[[], dict[str, str]] = vars(transport)["get_driver_env"]


def _minimal_driver_env() -> dict[str, str]:
    """What Playwright adds to the environment of the process, and of that only what a driver needs."""
    env = _complete()
    added = {name: value for name, value in env.items() if os.environ.get(name) != value}
    return _compile_cache() | driver_environment(os.environ) | added


def _compile_cache() -> dict[str, str]:
    """Where Node.js keeps the compiled program of the driver, which takes a third of its start otherwise."""
    cache = find_cache(os.environ)
    if cache is None or "NODE_COMPILE_CACHE" in os.environ:
        return {}
    folder = cache / "driver"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        # A home that cannot be written, as in a container: the driver is compiled at each start.
        return {}
    return {"NODE_COMPILE_CACHE": str(folder)}


vars(transport)["get_driver_env"] = _minimal_driver_env
