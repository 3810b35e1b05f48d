"""The extra packages that the journeys of a bundle need: which are installed where it is made, and whether a worker has them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from runner.bundles.signature import short
from runner.errors import BundleError, ConfigError
from runner.installation import NAME

REQUIREMENTS = "requirements.txt"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def lock_packages(modules: Iterable[str], required: Iterable[str], listed: Iterable[Path]) -> dict[str, str]:
    """The versions of the packages that offer `modules`, that are `required` by name, or that a requirements file lists.

    What this program needs itself is on every machine that has it. A package of a requirements file that is not installed here is
    left out, as journeys load without it. Raises ConfigError for one that is required and not installed.
    """
    names = {_normal(name) for module in modules for name in _find_offering(module)}
    names |= {name for file in listed for name in _read_requirements(file) if _find_version(name) is not None}
    for name in map(_normal, required):
        if _find_version(name) is None:
            raise ConfigError(
                f"bundle_requires: the package {name!r} is not installed here; install it, or remove it from the list"
            )
        names.add(name)
    own = {_normal(NAME), *_list_own()}
    return {name: _find_version(name) or "" for name in sorted(names - own)}


def check_packages(digest: str, packages: Mapping[str, str]) -> tuple[str, ...]:
    """What is to be said of packages that have another version here. Raises BundleError when some are missing."""
    found = {name: _find_version(name) for name in packages}
    missing = [f"{name}=={packages[name]}" for name, version in found.items() if version is None]
    if missing:
        raise BundleError(
            f"bundle {short(digest)}: its journeys need packages that are not installed here: {', '.join(missing)}; "
            f"install them where this worker runs: pip install {' '.join(missing)}"
        )
    return tuple(
        f"the package {name} has version {version} here, and {packages[name]} where the bundle was made"
        for name, version in found.items()
        if version != packages[name]
    )


def _find_offering(module: str) -> Iterable[str]:
    """The packages that offer a module; most are named like it, and to ask all that are installed takes seconds."""
    try:
        files = metadata.distribution(module).files or ()
    except metadata.PackageNotFoundError:
        files = ()
    if any(one.parts[0] in {module, f"{module}.py"} for one in files):
        return (module,)
    return metadata.packages_distributions().get(module, ())


def _read_requirements(file: Path) -> Iterator[str]:
    """The names in a requirements file; lines that are options, addresses or comments name no package."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}; write one package per line") from error
    for line in lines:
        name = _NAME.match(line.strip())
        if name is not None and "://" not in line.partition("@")[0]:
            yield _normal(name[0])


def _list_own() -> Iterator[str]:
    """What this program requires without any extra."""
    try:
        required = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return
    for one in required:
        name = _NAME.match(one)
        if name is not None and "extra ==" not in one:
            yield _normal(name[0])


def _find_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _normal(name: str) -> str:
    """The name as indexes compare it (https://packaging.python.org/en/latest/specifications/name-normalization/)."""
    return re.sub(r"[-_.]+", "-", name).lower()
