"""What a journey is: the decorator that declares one, and its options."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, overload

from msgspec import Struct

from runner.dsl import options, source
from runner.dsl.options import Network, Options
from runner.errors import DiscoveryError
from runner.settings.duration import positive

__all__ = ["INJECTABLE", "Journey", "Network", "Options", "journey"]

INJECTABLE = ("page", "context", "browser", "step", "request", "params", "secrets")
"""What a journey's function may ask for by the names of its parameters."""

F = TypeVar("F", bound=Callable[..., object])


class Journey(Struct, frozen=True, kw_only=True):
    """A named scripted walk, as declared in a file. Nothing in it changes when it runs."""

    name: str
    function: Callable[..., object]
    file: Path
    line: int
    description: str
    options: Options
    parameters: tuple[str, ...]
    step_names: tuple[str, ...] = ()
    step_lines: tuple[int, ...] = ()
    """The line of the file in which each of them begins."""
    more_steps: bool = False
    """Whether it may have steps that its source does not name."""
    secret_names: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """File and line, as editors open them."""
        return f"{self.file}:{self.line}"


@overload
def journey(function: F, /) -> F: ...
@overload
def journey(
    *,
    name: str | None = None,
    every: str | float | None = None,
    cron: str | None = None,
    cron_timezone: str | None = None,
    jitter: str | float | None = None,
    timeout: str | float | None = None,
    tags: list[str] | tuple[str, ...] | None = None,
    retries: int | None = None,
    waits: str | None = None,
    base_url: str | None = None,
    viewport: str | tuple[int, int] | Mapping[str, int] | None = None,
    device: str | None = None,
    locale: str | None = None,
    timezone: str | None = None,
    geolocation: tuple[float, float] | Mapping[str, float] | None = None,
    headers: Mapping[str, str] | None = None,
    basic_auth: tuple[str, Any] | None = None,
    storage_state: str | Path | None = None,
    signed_in_by: str | None = None,
    ignore_https_errors: bool | None = None,
    network: str | Network | None = None,
    cpu: float | None = None,
    user_agent_suffix: str | None = None,
    trace: str | None = None,
    screenshots: str | None = None,
    video: str | None = None,
    har: str | None = None,
    console: str | None = None,
    page_errors: str | None = None,
    failed_requests: str | None = None,
    aria: str | None = None,
    replay: str | None = None,
) -> Callable[[F], F]: ...
def journey(function: F | None = None, /, **given: Any) -> F | Callable[[F], F]:
    """Declares a function as a journey, with or without options; the function itself stays as it is.

    Its parameters are filled by name: `page context browser step request params secrets`. Durations are seconds or text
    such as `"5m"`. docs/journeys.md describes every option. Raises DiscoveryError, naming file and line, for an option
    that does not exist, a value that is not valid, or a parameter that cannot be filled.

    >>> @journey(every="5m", tags=["checkout"])
    ... def buy_tea(page, step): ...
    >>> buy_tea.__journey__.options.every
    300.0
    """

    def declare(target: F) -> F:
        target.__journey__ = _declared(target, given)  # type: ignore[attr-defined]
        return target

    return declare if function is None else declare(function)


def _declared(function: Callable[..., object], given: dict[str, Any]) -> Journey:
    file, line = Path(function.__code__.co_filename), function.__code__.co_firstlineno
    where = f"{file}:{line}"
    unknown = [name for name in given if name not in options.NAMES]
    if unknown:
        close = get_close_matches(unknown[0], options.NAMES, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(options.NAMES)}"
        raise DiscoveryError(f"{where}: unknown option {unknown[0]!r}; {hint}")
    try:
        checked = options.check(given)
    except ValueError as error:
        raise DiscoveryError(f"{where}: {error}") from error
    read = source.read(function)
    for offset, budget in read.budgets:
        try:
            positive(budget)
        except ValueError as error:
            raise DiscoveryError(f"{file}:{line + offset}: step's budget: {error}") from error
    return Journey(
        name=checked.name or function.__name__,
        function=function,
        file=file,
        line=line,
        description=(inspect.getdoc(function) or "").partition("\n")[0],
        options=checked,
        parameters=_parameters(function, where),
        step_names=read.steps,
        step_lines=tuple(line + offset for offset in read.step_lines),
        more_steps=read.more_steps,
        secret_names=read.secrets,
    )


def _parameters(function: Callable[..., object], where: str) -> tuple[str, ...]:
    if inspect.iscoroutinefunction(function):
        raise DiscoveryError(f"{where}: {function.__name__} is `async def`; journeys use Playwright's sync API: write `def`")
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        plain = parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
        if not plain or parameter.name not in INJECTABLE:
            raise DiscoveryError(
                f"{where}: {function.__name__} asks for {str(parameter.replace(annotation=parameter.empty))!r}, "
                f"which cannot be given; it can ask for: {', '.join(INJECTABLE)}"
            )
    return tuple(parameter.name for parameter in parameters)
