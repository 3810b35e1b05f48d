"""From actions and their locators to readable journey code."""

import ast
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest

from msgspec import Struct
from msgspec.structs import replace

from reports.codegen import statements
from reports.codegen.action import RecordedAction
from reports.codegen.input_values import Value, Values
from reports.codegen.irreversible import find_danger
from reports.codegen.locators import is_masked
from reports.codegen.rebuild_page import Ending, Rebuilt
from reports.codegen.result import Acted, Made, Report
from reports.codegen.statements import Line
from reports.codegen.url_patterns import origin_of, python_literal
from reports.collector.privacy.route_template import route_template
from reports.replay.recording import Recording
from runner.authoring.recorder import step_names
from runner.authoring.recorder.code_format import INDENT, lines, quoted
from runner.dsl.python_name import to_python_name

BODY = INDENT * 2
WIDTH = 120
"""Characters of a comment or a heading that is taken from a page."""

_IDENTIFIER = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-z]*[0-9])[0-9a-f]{6,}|[0-9]{3,})\b", re.IGNORECASE
)

BEGINNING = 8
"""The fewest characters that distinguish one heading from another."""
VAGUE = {
    *("apply", "back", "close", "confirm", "continue", "done", "filter", "go", "next", "ok", "open", "save", "search", "send"),
    *("show", "submit", "update", "view", "yes"),
}
"""What buttons say everywhere: only with its page does it name a journey."""


class _Step(Struct, frozen=True):
    name: str
    lines: tuple[Line, ...]


def write_journey(
    recording: Recording, actions: Sequence[RecordedAction], rebuilt: Rebuilt, name: str | None, rules: tuple[str, ...]
) -> Made:
    """The journey; `name` is its name, made from what it does when there is none. `rules` are the app's route templates."""
    base_url = origin_of(next(one.url or one.leads_to for one in actions if one.url or one.leads_to))
    tabs = list(dict.fromkeys(tab for one in actions for tab in (one.tab, one.opens) if tab is not None))
    values = Values()
    every = [
        statements.write_line(action, found, tabs, base_url, values, rules)
        for action, found in zip(actions, rebuilt.found, strict=True)
    ]
    every = list(_with_waits(every, tabs))
    steps = _steps(every)
    ending = _ending(every, rebuilt.endings, tabs, base_url, rules)
    name = name or _journey_name(steps)
    started = min(float(tab.events[0]["timestamp"]) for tab in recording.tabs if tab.events)
    recorded_at = datetime.fromtimestamp(started / 1000, UTC)
    text: list[str] = []
    acted: list[Acted] = []
    text += _head(recording, recorded_at, base_url, every, ending, values.all, name)
    number = 0
    for place, step in enumerate(steps):
        text += [""] if place else []
        text.append(f"{INDENT}with step({quoted(step.name)}):")
        for line in step.lines:
            number += 1
            why = find_danger(line.action, line.found, _label(line))
            if why and line.statements:
                text.append(f"{BODY}# Look twice before you run it: {why}.")
            acted.append(_acted(number, line, step.name, len(text) + 1, started, why))
            text += [f"{BODY}# {_plain(line.missing)}"] if line.missing else []
            text += [row for one in line.statements for row in lines(one, BODY)]
        if not any(line.statements for line in step.lines):
            text.append(f"{BODY}pass")
    text += [row for one in ending for row in lines(one, BODY)]
    resolved = sum(bool(one.statements) for one in every)
    report = Report(
        session=recording.session,
        name=name,
        recorded_at=recorded_at,
        base_url=base_url,
        steps=tuple(step.name for step in steps),
        actions=tuple(acted),
        resolved=resolved,
        params=tuple(one.name for one in values.all if not one.secret),
        secrets=tuple(one.name for one in values.all if one.secret),
        notes=tuple(_notes(every)),
    )
    return Made("\n".join(text) + "\n", report)


def _journey_name(steps: Sequence[_Step]) -> str:
    """A name after what the last step that names something does, without the numbers and ids of the visitor's own things."""
    last = next((one for one in reversed(steps) if _label(one.lines[-1])), steps[-1])
    title = _title(last.lines)
    said = f"{last.name} on {title}" if last.name.lower() in VAGUE and title else last.name
    words = re.findall(r"\w+", _IDENTIFIER.sub(" ", said))
    name = to_python_name("_".join(words).lower() or "visit")
    return name if len(name) <= step_names.LONGEST else name[: step_names.LONGEST].rpartition("_")[0] or name


def _with_waits(every: Sequence[Line], tabs: list[int]) -> Iterator[Line]:
    """The same; what a page answers without another address waits for a sign of it.

    That is the element that is used next, or a heading that has come, if that element was there before.
    """
    for line, later in zip_longest(every, every[1:]):
        if line.in_page and later is not None and later.target is not None and later.action.tab == line.action.tab:
            again = line.target is not None and ast.dump(line.target) == ast.dump(later.target)
            heading = _new_heading(line, later)
            written = "" if again else f"{statements.locate(later, tabs)}.wait_for()"
            if heading and (again or line.found.next_is_there):
                written = _expect_heading(statements.page_name(line.action.tab, tabs), heading)
            yield replace(line, statements=(*line.statements, *ast.parse(written).body))
        else:
            yield line


def _new_heading(line: Line, later: Line) -> str:
    """How a heading is called that has come with a line's answer, and that is the only one of its text; empty if there is none.

    One with a number may say something else each time: of that, only its beginning counts.
    """
    shown, before = later.found.headings, line.found.headings
    new = [
        one for one in shown if one not in before and shown.count(one) == 1 and len(one) <= WIDTH and not is_masked(repr(one))
    ]
    whole = next((one for one in new if not re.search(r"\d", one)), "")
    if whole:
        return _stable(whole)
    begun = (re.split(r"\d", one)[0].strip(" :–—-([#") for one in new)
    distinct = (
        one for one in begun if len(one) >= BEGINNING and sum(other.startswith(one) for other in (*before, *shown)) == 1
    )
    return next((f"re.compile({f'^{python_literal(one)}'!r})" for one in distinct), "")


def _steps(every: Sequence[Line]) -> list[_Step]:
    groups: list[list[Line]] = [[]]
    for line in every:
        groups[-1].append(line)
        if line.ends_step:
            groups.append([])
    groups = [one for one in groups if one]
    names = [_name(group) for group in groups]
    # Where two do the same, the page tells them apart.
    described = [
        f"{name} on {title}" if names.count(name) > 1 and (title := _title(group)) else name
        for name, group in zip(names, groups, strict=True)
    ]
    unique = step_names.unique(
        [one if len(one) <= step_names.LONGEST else name for one, name in zip(described, names, strict=True)]
    )
    return [_Step(_plain(name), tuple(group)) for name, group in zip(unique, groups, strict=True)]


def _name(group: Sequence[Line]) -> str:
    if group[-1].action.kind == "back":
        return "go back"
    return step_names.name([one.scripted for one in group])


def _title(group: Sequence[Line]) -> str:
    """The page's title without the site's name, which follows a sign of its own."""
    title = next((one.found.title for one in group if one.found.title), "")
    return " ".join(re.split(r"\s[·|–—-]\s", title)[0].split())


def _ending(
    every: Sequence[Line], endings: dict[int, Ending], tabs: list[int], base_url: str, rules: tuple[str, ...]
) -> list[ast.stmt]:
    """What the last page is expected to show."""
    last = every[-1].action
    tab = last.tab if last.opens is None else last.opens
    page = statements.page_name(tab, tabs)
    written = []
    if not last.leads_to:
        shown = next((one.action.leads_to or one.action.url for one in reversed(every) if _shows(one.action, tab)), "")
        written += [statements.write_expectation(page, shown, base_url, rules)] if shown else []
    heading = next(iter(endings[tab].headings), "") if tab in endings else ""
    if 0 < len(heading) <= WIDTH:
        written.append(_expect_heading(page, _stable(heading)))
    return ast.parse("\n".join(written)).body


def _shows(action: RecordedAction, tab: int) -> bool:
    shown = action.tab if action.opens is None else action.opens
    return shown == tab and bool(action.leads_to or action.url)


def _expect_heading(page: str, name: str) -> str:
    return f"expect({page}.get_by_role('heading', name={name})).to_be_visible()"


def _stable(heading: str) -> str:
    """A heading's name, with any number where one stands: a receipt has another each time."""
    if not re.search(r"\d", heading):
        return f"{heading!r}, exact=True"
    return f"re.compile({re.sub(r'[0-9]+', lambda _: r'[0-9]+', python_literal(heading))!r})"


def _head(
    recording: Recording,
    recorded_at: datetime,
    base_url: str,
    every: Sequence[Line],
    ending: Sequence[ast.stmt],
    values: Sequence[Value],
    name: str,
) -> Iterator[str]:
    yield f'"""Made from session {_plain(recording.session)} at {_plain(base_url)}, recorded {recorded_at:%Y-%m-%d %H:%M} UTC.'
    params, secrets = ([one.name for one in values if one.secret is secret] for secret in (False, True))
    if values:
        yield from ("", "What the visitor typed is not recorded. The journey must be given:")
    if params:
        yield f"    {' '.join(f'--param {one}=…' for one in params)}"
    if secrets:
        yield f"    {' '.join(f'JOURNEY_SECRET_{one}=…' for one in secrets)}"
    yield '"""'
    yield ""
    used = {
        node.id
        for one in (*(part for line in every for part in line.statements), *ending)
        for node in ast.walk(one)
        if isinstance(node, ast.Name)
    }
    if "re" in used:
        yield from ("import re", "")
    kinds = {"page": "Page", "step": "Step"}
    kinds |= {"params": "Params"} if params else {}
    kinds |= {"secrets": "Secrets"} if secrets else {}
    kinds |= {"context": "BrowserContext"} if "context" in used else {}
    yield from (
        f"from runner import {', '.join([*sorted(kinds.values()), *(['expect'] if 'expect' in used else []), 'journey'])}",
        "",
        "",
    )
    function = to_python_name(name)
    given = ([f"name={quoted(name)}"] if function != name else []) + [f"base_url={quoted(base_url)}"]
    yield f"@journey({', '.join(given)})"
    yield f"def {function}({', '.join(f'{one}: {kind}' for one, kind in kinds.items())}) -> None:"
    pages = [route_template(one.action.leads_to or one.action.url) for one in every if one.action.leads_to or one.action.url]
    yield f'{INDENT}"""A visitor goes from {_plain(pages[0])} to {_plain(pages[-1])}."""'


def _acted(number: int, line: Line, step: str, row: int, started: float, why: str | None) -> Acted:
    return Acted(
        number=number,
        kind=line.action.kind,
        seconds=round((line.action.at - started) / 1000, 3),
        step=step,
        line=row,
        code=line.code,
        locators=tuple(one.code for one in line.found.candidates),
        danger=why,
    )


def _label(line: Line) -> str:
    return step_names.role_and_name(line.naming)[1] if line.naming is not None else ""


def _notes(every: Sequence[Line]) -> Iterator[str]:
    for line in every:
        if line.missing:
            yield line.missing
        elif line.action.kind == "goto" and not line.action.url.partition("?")[2] and len(every) > 1 and line is not every[0]:
            yield f"{route_template(line.action.url)} was opened by hand; a query that it may have had is not recorded"
        elif line.found.candidates and not line.found.candidates[0].checked:
            yield f"{line.code}: its page is masked, so nobody knows yet whether it finds one element"


def _plain(text: str) -> str:
    """A text from a page, safe for a comment or between quotes: on one line, and ending neither."""
    return "".join(one if one.isprintable() and one not in '"\\' else " " for one in text)[:WIDTH].strip()
