"""What a check is measured with: versions and platform; there is no browser."""

import platform
from functools import cache

import runner
from runner.result import Environment


@cache
def describe_check_environment() -> Environment:
    """This machine."""
    return Environment(runner=runner.__version__, python=platform.python_version(), platform=platform.platform())
