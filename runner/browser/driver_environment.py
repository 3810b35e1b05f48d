"""Playwright's driver gets a minimal environment, in a process that imports this module before it starts a driver.

Playwright has no option for it and passes on the environment of the process, with every secret in it.
"""

import os
from collections.abc import Callable

from playwright._impl import transport

from runner.browser.environment import driver_environment

_complete: Callable[[], dict[str, str]] = vars(transport)["get_driver_env"]


def _minimal_driver_env() -> dict[str, str]:
    """What Playwright adds to the environment of the process, and of that only what a driver needs."""
    env = _complete()
    added = {name: value for name, value in env.items() if os.environ.get(name) != value}
    return driver_environment(os.environ) | added


vars(transport)["get_driver_env"] = _minimal_driver_env
