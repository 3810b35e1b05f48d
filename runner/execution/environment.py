"""What a run is measured with: versions and platform."""

import platform
from functools import cache
from importlib.metadata import version as installed

from msgspec.structs import replace

import runner
from runner.result import Environment


def describe_environment(browser: str, version: str, base_url: str | None, sandbox: str = "") -> Environment:
    """This machine, with a browser of that name; an empty `version` stands for a browser that has not started."""
    browser, sandbox = (f"{browser} {version}", sandbox) if version else ("", "")
    return replace(_machine(), browser=browser, base_url=base_url, sandbox=sandbox)


@cache
def _machine() -> Environment:
    """What stays the same as long as the process lives."""
    return Environment(
        runner=runner.__version__,
        playwright=installed("playwright"),
        python=platform.python_version(),
        platform=platform.platform(),
    )
