"""What a journey has replaced in modules and classes: `json.loads`, `builtins.open`, `pathlib.Path.exists`, a function of a library.

The functions, classes and descriptors of everything that is imported are kept before a run (a copy of each namespace, which costs
microseconds) and put back where they are others afterwards. Other values stay, since libraries fill their caches, with one exception:
objects of the journey's own are taken out. A module that is imported in the run cannot be compared with anything; if objects of the
journey are found in it, the worker is spent.
"""

import builtins
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from operator import is_
from types import FunctionType, GetSetDescriptorType, MappingProxyType, MemberDescriptorType, ModuleType
from typing import Any

from runner.dsl.project_imports import is_of_project

_REPLACEABLE = (
    *(ModuleType, staticmethod, classmethod, property),
    *(GetSetDescriptorType, MemberDescriptorType),
)
_MISSING = object()
_classes: dict[str, tuple[ModuleType, list[tuple[type, MappingProxyType[str, Any]]]]] = {}
"""The classes that each module has defined by the time it was seen first, and their namespaces."""


class ModuleContents:
    """The namespaces of all modules and of their classes, as they are when it is made."""

    def __init__(self) -> None:
        modules = [(name, module) for name, module in list(sys.modules.items()) if isinstance(module, ModuleType)]
        self._builtins, self._kept_builtins = vars(builtins), vars(builtins).copy()
        self._known = {name for name, _ in modules}
        self._modules = [(name, vars(module), vars(module).copy()) for name, module in modules if not is_of_project(name)]
        self._owners = [(one, names, names.copy()) for name, module in modules for one, names in _list_classes(name, module)]

    def restore_builtins(self) -> list[str]:
        """Puts back the built-in functions, without a call of one; returns the names of those that were replaced."""
        now, kept = self._builtins, self._kept_builtins
        found = [f"builtins.{name}" for name in kept if now.get(name) is not kept[name]]
        now.update(kept)
        return found

    def find_replaced(self) -> "Replaced":
        """What is not as it was: each name in a module or class, with what it refers to now."""
        found: Replaced = {}
        for name, now, before in self._modules:
            for key in _find_changed(now, before):
                found[name, key] = (now, before.get(key, _MISSING), now.get(key, _MISSING))
        for owner, names, kept in self._owners:
            for key in _find_changed(names, kept):
                found[f"{owner.__module__}.{owner.__qualname__}", key] = (
                    owner,
                    kept.get(key, _MISSING),
                    names.get(key, _MISSING),
                )
        return found

    def find_spent(self) -> list[str]:
        """The names in modules imported since that refer to objects of the journey: such a module stays as it is until the process ends."""
        found = []
        for name, module in list(sys.modules.items()):
            if name in self._known or not isinstance(module, ModuleType) or is_of_project(name):
                continue
            found += [f"{name}.{key}" for key, value in vars(module).items() if _is_journeys(value)]
            for owner, names in _list_classes(name, module):
                found += [f"{name}.{owner.__qualname__}.{key}" for key, value in names.items() if _is_journeys(value)]
        return found


Replaced = dict[tuple[str, str], tuple[dict[str, Any] | type, object, object]]
"""By module or class, and name: the namespace, the value that it had, and the value that it has."""


def put_back(found: Replaced, wanted: Replaced | None = None) -> list[str]:
    """Puts back what was replaced, to what it was when `wanted` was found if that is given. Returns the names."""
    names = []
    for place, (owner, before, now) in found.items():
        value = before if wanted is None or place not in wanted else wanted[place][2]
        if value is now:
            continue
        key = place[1]
        names.append(".".join(place))
        with suppress(AttributeError, TypeError, KeyError):  # another class may have become immutable, or the name was removed
            if isinstance(owner, type):
                type.__delattr__(owner, key) if value is _MISSING else type.__setattr__(owner, key, value)
            elif value is _MISSING:
                del owner[key]
            else:
                owner[key] = value
    return names


def _find_changed(now: Mapping[str, Any], before: Mapping[str, Any]) -> Collection[str]:
    """The names that have to be put back."""
    if len(now) == len(before) and all(map(is_, now.values(), before.values())):
        return ()
    # Whoever fills a cache puts a value in the place of None or of another value, and not in that of a function.
    changed = [
        key
        for key, value in before.items()
        if now.get(key, _MISSING) is not value
        and (callable(value) or isinstance(value, _REPLACEABLE) or _is_journeys(now.get(key)))
    ]
    return changed + [key for key in now.keys() - before.keys() if _is_journeys(now[key])]


def _is_journeys(value: object) -> bool:
    """Whether a value is a function, a class or an object of a class of the journey's, or a mock."""
    if isinstance(value, FunctionType):
        name = value.__globals__.get("__name__")
    else:
        name = (value if isinstance(value, type) else type(value)).__module__
        if name == "unittest.mock":
            return not isinstance(value, type) and type(value).__name__.endswith("Mock")
    return isinstance(name, str) and is_of_project(name)


def _list_classes(name: str, module: ModuleType) -> list[tuple[type, MappingProxyType[str, Any]]]:
    known = _classes.get(name)
    if known is None or known[0] is not module:
        own = {id(one): one for one in list(vars(module).values()) if isinstance(one, type) and one.__module__ == name}
        known = _classes[name] = (module, [(one, one.__dict__) for one in own.values()])
    return known[1]
