"""Whether the packages are installed that pictures are compared with."""

from importlib.util import find_spec

from runner.errors import ConfigError
from runner.installation import install_command

PACKAGES = {"numpy": "numpy", "PIL": "Pillow"}
"""Their modules, with the names under which they are installed."""


def require_packages(where: str) -> None:
    """Raises ConfigError, beginning with `where`, when one is missing."""
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise ConfigError(f"{where}: {' and '.join(missing)} missing; install with: {install_command('pictures')}")
