"""What a journey is, and a check: the decorators that declare them."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, Unpack, overload

from msgspec import Struct, field

from runner.dsl import source
from runner.dsl.options import Network, Options, check_together, explain_refusal, list_options, parse_options
from runner.dsl.protocols.registry import PROTOCOLS
from runner.errors import DiscoveryError
from runner.settings.artifact_kinds import ArtifactPolicies
from runner.settings.duration import parse_positive_duration

__all__ = ["INJECTABLE", "Journey", "Network", "Options", "check", "journey"]

INJECTABLE = ("page", "context", "browser", "step", "request", "mailbox", "params", "secrets")
"""Names that a journey's function can have as parameters."""
Kind = Literal["journey", "check"]
"""A journey walks through pages in a browser; a check asks a server directly."""

F = TypeVar("F", bound=Callable[..., object])


class Journey(Struct, frozen=True, kw_only=True):
    """A scripted journey, or a check, as declared in a file. Running it does not change it."""

    name: str
    kind: Kind = "journey"
    function: Callable[..., object]
    file: Path
    line: int
    description: str
    options: Options
    parameters: tuple[str, ...]
    step_names: tuple[str, ...] = ()
    step_lines: tuple[int, ...] = ()
    """The line of the file in which each step begins."""
    more_steps: bool = False
    """Whether it may have steps whose names are not in its source."""
    secret_names: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    """Parameters through which it reaches the site, if it uses none of them."""

    @property
    def where(self) -> str:
        """File and line, as editors open them."""
        return f"{self.file}:{self.line}"

    @property
    def key(self) -> tuple[Path, str]:
        """What tells it from all others: several may come from one line of a factory."""
        return self.file, self.name


class Declarations(Struct):
    """What a file declares while it is imported."""

    journeys: list[Journey] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Of the declarations that are not valid, each with file and line."""


_noted: list[Declarations] = []


@contextmanager
def noted_declarations() -> Iterator[Declarations]:
    """Collects every journey that is declared in the block, and the problems of those that are not valid, which then raise nothing."""
    found = Declarations()
    _noted.append(found)
    try:
        yield found
    finally:
        _noted.pop()


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
    locations: Sequence[str] | None = None,
    rotate: bool | None = None,
    timeout: str | float | None = None,
    tags: list[str] | tuple[str, ...] | None = None,
    owner: str | None = None,
    runbook: str | None = None,
    retries: int | None = None,
    waits: str | None = None,
    accessibility: str | None = None,
    browser: str | None = None,
    base_url: str | None = None,
    mailbox: str | None = None,
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
    proxy: str | Mapping[str, Any] | None = None,
    client_certificates: Sequence[Mapping[str, Any]] | None = None,
    permissions: Sequence[str] | None = None,
    color_scheme: str | None = None,
    reduced_motion: str | None = None,
    service_workers: str | None = None,
    http_cache: bool | None = None,
    cookies: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    block: Sequence[str] | None = None,
    mock: Mapping[str, Any] | None = None,
    **policies: Unpack[ArtifactPolicies],
) -> Callable[[F], F]: ...
def journey(function: F | None = None, /, **given: Any) -> F | Callable[[F], F]:
    """Declares a function as a journey, with or without options; the function itself stays as it is.

    Its parameters are filled by name: `page context browser step request mailbox params secrets`. Durations are seconds or text
    such as `"5m"`. docs/journeys.md describes every option. Raises DiscoveryError, naming file and line, for an option
    that does not exist, a value that is not valid, or a parameter that cannot be filled.

    >>> @journey(every="5m", tags=["checkout"])
    ... def buy_tea(page, step): ...
    >>> buy_tea.__journey__.options.every
    300.0
    """

    def declare(target: F) -> F:
        return _declare(target, given, "journey")

    return declare if function is None else declare(function)


@overload
def check(function: F, /) -> F: ...
@overload
def check(
    *,
    name: str | None = None,
    every: str | float | None = None,
    cron: str | None = None,
    cron_timezone: str | None = None,
    jitter: str | float | None = None,
    locations: Sequence[str] | None = None,
    rotate: bool | None = None,
    timeout: str | float | None = None,
    tags: list[str] | tuple[str, ...] | None = None,
    owner: str | None = None,
    runbook: str | None = None,
    retries: int | None = None,
    base_url: str | None = None,
    headers: Mapping[str, str] | None = None,
    basic_auth: tuple[str, Any] | None = None,
    ca_file: str | Path | None = None,
) -> Callable[[F], F]: ...
def check(function: F | None = None, /, **given: Any) -> F | Callable[[F], F]:
    """Declares a function as a check, with or without options; the function itself stays as it is.

    Its parameters are filled by name: `http tcp tls dns grpc websocket params secrets`. docs/checks.md describes them and every option. Raises
    DiscoveryError, naming file and line, for an option that checks do not have, a value that is not valid, or a parameter that
    cannot be filled.

    >>> @check(every="1m", timeout="10s")
    ... def shop_answers(http):
    ...     http.get("https://shop.example/health", status=200)
    >>> shop_answers.__journey__.kind, shop_answers.__journey__.step_names
    ('check', ('GET https://shop.example/health',))
    """

    def declare(target: F) -> F:
        return _declare(target, given, "check")

    return declare if function is None else declare(function)


def _declare(function: F, given: dict[str, Any], kind: Kind) -> F:
    """Declares a function as a journey or a check with these options. Raises DiscoveryError, as `journey` does."""
    try:
        declared = _declared(function, given, kind)
    except DiscoveryError as error:
        if not _noted:
            raise
        _noted[-1].problems.append(str(error))
        return function
    function.__journey__ = declared  # type: ignore[attr-defined]
    if _noted:
        _noted[-1].journeys.append(declared)
    return function


def _declared(function: Callable[..., object], given: dict[str, Any], kind: Kind) -> Journey:
    """The journey. Raises DiscoveryError with all problems of the declaration, one per line."""
    if not inspect.isfunction(function):
        caller = next(frame for frame in inspect.stack()[1:] if frame.filename != __file__)
        raise DiscoveryError(
            f"{caller.filename}:{caller.lineno}: @{kind} stands above a function that is written with `def`, not above "
            f"{type(function).__name__}; write one that calls it"
        )
    # Decorators below @journey that keep the function's name keep its place, too.
    written = inspect.unwrap(function)
    file, line = Path(written.__code__.co_filename), written.__code__.co_firstlineno
    where = f"{file}:{line}"
    problems = [f"{where}: {problem}" for problem in _option_problems(given, kind)]
    read = source.read_source(function, calls=kind == "check")
    problems += [f"{file}:{line + offset}: {problem}" for offset, problem in read.without_effect]
    for offset, budget in read.budgets:
        try:
            parse_positive_duration(budget)
        except ValueError as error:
            problems.append(f"{file}:{line + offset}: step's budget: {error}")
    problems += [f"{where}: {problem}" for problem in _parameter_problems(function, kind)]
    if problems:
        raise DiscoveryError("\n".join(problems))
    checked = parse_options(given)
    return Journey(
        name=checked.name or function.__name__,
        kind=kind,
        function=function,
        file=file,
        line=line,
        description=(inspect.getdoc(function) or "").partition("\n")[0],
        options=checked,
        parameters=tuple(inspect.signature(function).parameters),
        step_names=read.steps,
        step_lines=tuple(line + offset for offset in read.step_lines),
        more_steps=read.more_steps,
        # A decorator may do what the function below it does not.
        unused=read.unused if written is function else (),
        secret_names=read.secrets,
    )


def _option_problems(given: dict[str, Any], kind: Kind) -> Iterator[str]:
    known = list_options(kind)
    for name, value in given.items():
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
            yield explain_refusal(name, kind) or f"unknown option {name!r}; {hint}"
            continue
        try:
            parse_options({name: value})
        except ValueError as error:
            yield str(error)
    try:
        check_together(given)
    except ValueError as error:
        yield str(error)


def list_parameters(kind: Kind) -> tuple[str, ...]:
    """The names of parameters that the function of a journey, or of a check, can have."""
    return INJECTABLE if kind == "journey" else (*PROTOCOLS, "params", "secrets")


def _parameter_problems(function: Callable[..., object], kind: Kind) -> Iterator[str]:
    if inspect.iscoroutinefunction(function):
        why = "journeys use Playwright's sync API" if kind == "journey" else "checks run in threads"
        yield f"{function.__name__} is `async def`; {why}: write `def`"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        yield f"{function.__name__} has a `yield`: calling it would not run it; remove the `yield`"
    for parameter in inspect.signature(function).parameters.values():
        plain = parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
        if not plain or parameter.name not in list_parameters(kind):
            yield (
                f"{function.__name__} asks for {str(parameter.replace(annotation=parameter.empty))!r}, "
                f"which cannot be given; it can ask for: {', '.join(list_parameters(kind))}"
            )
