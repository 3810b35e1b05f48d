"""From what Playwright's recorder wrote to the text of a journey file."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from runner.authoring.recorder.code_format import INDENT, flat, lines, quoted
from runner.authoring.recorder.parse_script import Script, ScriptAction, read
from runner.authoring.recorder.secret_fields import SecretField, secret_field
from runner.authoring.recorder.steps import Step, divide
from runner.dsl.python_name import to_python_name
from runner.redaction import SHORTEST

BODY = INDENT * 2
TYPED = {"fill", "press_sequentially", "type"}
ADDRESSED = {"goto", "wait_for_url", "to_have_url", "not_to_have_url"}
"""What takes an address, which may start from the base URL."""


class WrittenJourney(Struct, frozen=True, kw_only=True):
    """A journey, as text, and what its author has to know."""

    text: str
    """The whole file."""
    steps: tuple[str, ...]
    base_url: str | None
    """What was taken out of the addresses; None when none was opened."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets that it asks for; their texts are not in it."""
    notes: tuple[str, ...] = ()


class _Typed(Struct, frozen=True):
    """A text that was taken for a secret."""

    name: str
    field: SecretField


def write(recorded: str, name: str, site: str | None = None) -> WrittenJourney:
    """A journey called `name` that does what was recorded, as the text of a file.

    It holds the site that was recorded, unless that is `site`, the base URL that the project has.

    Raises RecordingError when `recorded` is not what Playwright's recorder writes.
    """
    script = read(recorded)
    base_url = next((base for one in script.actions if one.kind == "open" and (base := _base(one.text))), None)
    secrets = _secrets(script)
    steps = _without_unused(divide([_changed(one, base_url, secrets) for one in script.actions]))
    names = tuple(dict.fromkeys(one.name for one in secrets.values()))
    own = base_url is not None and base_url != (site or "").rstrip("/")
    text = "\n".join(_file(name, steps, base_url, own, secrets)) + "\n"
    return WrittenJourney(
        text=text,
        steps=tuple(step.name for step in steps),
        base_url=base_url,
        secrets=names,
        notes=(*_notes(script), *_left(text, secrets)),
    )


def _base(address: str) -> str | None:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if parts.scheme in {"http", "https"} and host else None


def _secrets(script: Script) -> dict[str, _Typed]:
    """What was typed into the fields of secrets, with the name that each gets."""
    found: dict[str, _Typed] = {}
    for action in script.actions:
        if action.target is None or action.method not in TYPED or len(action.text) < SHORTEST or action.text in found:
            continue
        field = secret_field(action.target, action.text)
        if field is not None:
            taken = {one.name for one in found.values()}
            number = 1 + sum(one == field.name or one.startswith(f"{field.name}_") for one in taken)
            found[action.text] = _Typed(field.name if number == 1 else f"{field.name}_{number}", field)
    return found


def _changed(action: ScriptAction, base_url: str | None, secrets: Mapping[str, _Typed]) -> ScriptAction:
    change = _Change(base_url, secrets)
    statements = tuple(change.visit(one) for one in action.statements)
    calls = [node for one in statements for node in ast.walk(one) if isinstance(node, ast.Call)]
    done = next((one for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr == action.method), None)
    return replace(action, statements=statements, arguments=tuple(done.args) if done else ())


class _Change(ast.NodeTransformer):
    """Takes the base URL out of addresses, and secrets out of everything."""

    def __init__(self, base_url: str | None, secrets: Mapping[str, _Typed]) -> None:
        self._base_url = base_url
        self._secrets = secrets

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        typed = self._secrets.get(node.value) if isinstance(node.value, str) else None
        return ast.parse(f'secrets["{typed.name}"].reveal()', mode="eval").body if typed else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=str(address)), *_]) if method in ADDRESSED:
                node.args[0] = ast.Constant(self._relative(address))
        return self.generic_visit(node)

    def _relative(self, address: str) -> str:
        base = _base(address)
        if base is None:
            return address
        path = address.partition("://")[2].removeprefix(urlsplit(address).netloc)
        # A user and a password in front of the host are left out, whoever's host it is.
        return (path or "/") if base == self._base_url else base + path


def _notes(script: Script) -> Iterator[str]:
    for option in script.left_out:
        yield f"recorded with {option}; write it as an option of @journey, see docs/journeys.md"
    if any(one.kind == "open" and "@" in urlsplit(one.text).netloc for one in script.actions):
        yield "the address held a user or a password, which was left out; see basic_auth in docs/journeys.md"


def _left(text: str, secrets: Mapping[str, _Typed]) -> Iterator[str]:
    """Where a secret is still in the file, as a part of another text."""
    for number, line in enumerate(text.splitlines(), 1):
        for secret, typed in secrets.items():
            if secret in line or quote(secret) in line or quote_plus(secret) in line:
                yield f"line {number} holds what was typed as {typed.name}; remove it if it must not be there"


def _file(name: str, steps: tuple[Step, ...], base_url: str | None, own: bool, secrets: Mapping[str, _Typed]) -> Iterator[str]:
    used = _used(steps)
    wanted = {one: kind for one, kind in PARAMETERS.items() if one in used or one in {"page", "step"}}
    imported = [*sorted(wanted.values()), *sorted({"expect"} & used), "journey"]
    yield f'"""Recorded{f" at {base_url}" if base_url else ""} with `journey record`."""'
    yield ""
    if "re" in used:
        yield from ("import re", "")
    yield from (f"from runner import {', '.join(imported)}", "", "")
    yield '# every="5m" has `journey schedule` run it around the clock; budget="2s" beside a step\'s name bounds its latency.'
    function = to_python_name(name)
    options = [f"name={quoted(name)}"] if function != name else []
    options += [f"base_url={quoted(base_url)}"] if base_url and own else []
    yield f"@journey({', '.join(options)})" if options else "@journey"
    yield f"def {function}({', '.join(f'{one}: {kind}' for one, kind in wanted.items())}) -> None:"
    yield f'{INDENT}"""A visitor does what was recorded."""'
    explained: set[str] = set()
    for index, step in enumerate(steps):
        yield from [""] if index else []
        yield from _step(step, secrets, explained, last=index == len(steps) - 1)


PARAMETERS = {"page": "Page", "context": "BrowserContext", "step": "Step", "secrets": "Secrets"}
"""What the journey may ask for, with its type."""


def _used(steps: Iterable[Step]) -> set[str]:
    """Every name that is read somewhere."""
    statements = [
        one for step in steps for one in (*step.waits, *(part for action in step.actions for part in action.statements))
    ]
    nodes = [node for one in statements for node in ast.walk(one)]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _without_unused(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same without variables that nothing reads, such as a download that is only waited for."""
    for _ in range(2):  # an assignment is the reader of the name that its `with` gives
        used = _used(steps)
        steps = tuple(replace(step, actions=tuple(_with_used(one, used) for one in step.actions)) for step in steps)
    return steps


def _with_used(action: ScriptAction, used: set[str]) -> ScriptAction:
    kept = []
    for statement in action.statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute()) if name not in used:
                continue
            case ast.With(items=[ast.withitem(optional_vars=ast.Name(id=name)) as item]) if name not in used:
                item.optional_vars = None
        kept.append(statement)
    return replace(action, statements=tuple(kept))


def _step(step: Step, secrets: Mapping[str, _Typed], explained: set[str], last: bool) -> Iterator[str]:
    yield f"{INDENT}with step({quoted(step.name)}):"
    for action in step.actions:
        yield from (f"{BODY}# {comment}" for comment in _comments(action, secrets, explained))
        for statement in action.statements:
            yield from lines(statement, BODY)
    if last and not any(action.kind == "check" for action in step.actions):
        example = 'expect(page.get_by_text("…")).to_be_visible()'
        yield f"{BODY}# Nothing was checked here. What proves that it worked? Such as: {example}"
    for wait in step.waits:
        yield from lines(wait, BODY)


def _comments(action: ScriptAction, secrets: Mapping[str, _Typed], explained: set[str]) -> Iterator[str]:
    """What is to be said of what was typed, of each secret once."""
    nodes = [node for one in action.statements for node in ast.walk(one) if isinstance(node, ast.Subscript)]
    revealed = {flat(node) for node in nodes}
    for one in secrets.values():
        if f'secrets["{one.name}"]' in revealed - explained:
            explained.add(f'secrets["{one.name}"]')
            yield f"Taken for a secret, as {one.field.because}. Set it in the environment: JOURNEY_SECRET_{one.name}=…"
    field = secret_field(action.target, action.text) if action.target is not None and action.method in TYPED else None
    if field is not None and 0 < len(action.text) < SHORTEST:
        yield f"Not made a secret, though {field.because}: with under {SHORTEST} characters it could not be hidden."
