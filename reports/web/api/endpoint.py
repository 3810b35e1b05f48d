"""One address of the API: the function that answers it, what it may be asked, and what it answers with."""

from collections.abc import Callable

from msgspec import Struct

from reports.web.api.parameter import FORMAT, Parameter
from reports.web.api.request import ApiRequest

Answer = Callable[[ApiRequest], Struct | None]
"""None is for what is not there (404)."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One address of the API."""

    path: str
    answer: Answer
    parameters: tuple[Parameter, ...] = ()
    struct: type[Struct]
    summary: str
    rows: tuple[str, ...] = ()
    """The fields that CSV can be made of; the first, if nothing is said."""

    @property
    def every_parameter(self) -> tuple[Parameter, ...]:
        """With those that say how the answer is written."""
        which = Parameter(name="list", means="Which list is written as CSV.", choices=self.rows, fallback=(*self.rows, None)[0])
        return (*self.parameters, *((FORMAT,) if self.rows else ()), *((which,) if len(self.rows) > 1 else ()))

    @property
    def in_path(self) -> tuple[str, ...]:
        """The names of the path's parts that vary."""
        return in_path(self.path)


def in_path(path: str) -> tuple[str, ...]:
    """The names of a path's parts that vary."""
    return tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
