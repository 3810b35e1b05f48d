"""What is different from the last run that passed, in one paragraph made of facts."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from reports.compare.run_diff import RequestChange, compare_runs
from runner.result import RunResult, StepResult

NAMED = 2
"""Requests, errors or lines of the console that are named; more are counted."""
LONGEST = 120
"""Characters of a text of the page."""


def explain_difference(
    now: RunResult,
    before: RunResult | None,
    before_at: datetime | None,
    *,
    missing: str = "",
    console: Sequence[str] = (),
    console_before: Sequence[str] | None = None,
) -> list[str]:
    """The sentences; empty for a run that passed.

    `before` is the last run that passed, None if its folder is gone; `before_at` its start, None if no run passed before. `missing`
    describes the sought element (`describe_missing`); `console` has the errors of the console, `console_before` those of the other run,
    None if that has kept no console.
    """
    if now.failure is None:
        return []
    step = next((one for one in now.steps if one.name == now.failure.step), None)
    said = [f"{_capital(missing)}."] if missing else []
    if before is None or step is None:
        said += _describe_requests(_list_failed(step)) if step else []
        said += _describe_errors(step, None)
        said += _describe_console(console, None)
        if before_at is None:
            said.append("No earlier run passed, so there is nothing to compare with.")
        elif before is None:
            said.append("The files of the last passed run have been removed, so its requests cannot be compared.")
        return said
    then = next((one for one in before.steps if one.name == step.name), None)
    if then is None:
        return [*said, f"The last passed run had no step “{_shorten(step.name)}”.", *_describe_release(now, before)]
    changes = next(one.requests for one in compare_runs(before, now) if one.name == step.name)
    different = _describe_requests(changes)
    different += _describe_page(step, then)
    different += _describe_errors(step, then)
    different += _describe_console(console, console_before)
    if not different:
        different = ["Its requests and their statuses are those of the last passed run, as far as the step got."]
    return [*said, *different, *_describe_release(now, before)]


def _list_failed(step: StepResult) -> list[RequestChange]:
    return [
        RequestChange(
            what="failed",
            method=one.method,
            url=one.url,
            duration_seconds=(None, one.duration_seconds),
            transfer_bytes=(None, one.transfer_bytes),
            status=(None, one.status),
        )
        for one in step.requests.failures
    ]


def _describe_requests(changes: Sequence[RequestChange]) -> list[str]:
    failed = [one for one in changes if one.what == "failed" or (one.what == "new" and (one.status[1] or 0) >= 400)]
    said = []
    for one in failed[:NAMED]:
        was = f"; in the last passed run it answered {one.status[0]}" if one.status[0] else ""
        answer = f"answered {one.status[1]}" if one.status[1] else "got no response"
        said.append(f"{one.method} {_path(one.url)} {answer}{was}.")
    if len(failed) > NAMED:
        rest = len(failed) - NAMED
        said.append(f"{rest} more {'request' if rest == 1 else 'requests'} failed.")
    for what, verb in (
        ("new", "was not in the last passed run"),
        ("gone", "was made in the last passed run, and not in this one"),
    ):
        found = [one for one in changes if one.what == what and one not in failed]
        if found:
            others = f" and {len(found) - 1} more" if len(found) > 1 else ""
            said.append(
                f"{found[0].method} {_path(found[0].url)}{others} {verb if len(found) == 1 else verb.replace('was', 'were', 1)}."
            )
    return said


def _describe_page(now: StepResult, then: StepResult) -> list[str]:
    """The page on which the step ended, if that differs."""
    pages = [_path(one.navigations[-1].url) if one.navigations else "" for one in (then, now)]
    if pages[0] == pages[1] or not pages[1]:
        return []
    return [f"The step loaded {pages[1]}; in the last passed run {f'it loaded {pages[0]}' if pages[0] else 'no document'}."]


def _describe_errors(now: StepResult | None, then: StepResult | None) -> list[str]:
    known = {one.message for one in then.page_errors} if then else set()
    new = [one.message for one in now.page_errors if one.message not in known] if now else []
    return _name("The page threw {}", new)


def _describe_console(now: Sequence[str], then: Sequence[str] | None) -> list[str]:
    new = [one for one in now if one not in (then or ())]
    return _name("The console has {}" if then is None else "The console has, unlike in the last passed run, {}", new)


def _name(sentence: str, texts: Sequence[str]) -> list[str]:
    if not texts:
        return []
    unlike = list(dict.fromkeys(texts))
    more = f" and {len(unlike) - NAMED} more" if len(unlike) > NAMED else ""
    return [sentence.format(" and ".join(f"“{_shorten(one)}”" for one in unlike[:NAMED]) + more) + "."]


def _describe_release(now: RunResult, before: RunResult) -> list[str]:
    if now.release == before.release:
        return [f"Both runs are of release {now.release}."] if now.release else []
    names = [one or "no named release" for one in (before.release, now.release)]
    return [f"The last passed run was of {_release(names[0])}, this one is of {_release(names[1])}."]


def _release(name: str) -> str:
    return name if name == "no named release" else f"release {name}"


def _path(url: str) -> str:
    parts = urlsplit(url)
    return _shorten(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")


def _shorten(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
