"""Runs of a smoke check that are not counted, as what they record slows pages down: coverage, and CPU profiles of slow steps."""

from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from reports.smoke.measurement import Measurement
from reports.smoke.question import Question
from reports.smoke.result import JourneyCheck, ProfiledFunction, SmokeResult, UnusedFile
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.network.registrable_domain import host_of

INSTRUMENTS = ("coverage", "cpu_profile")
"""Kinds of artifacts that no counted run records."""
FILES = 20
"""Files with unused bytes that are kept, those with the most first."""


def without_instruments(plan: Plan) -> Plan:
    """The same run, without what would slow it down."""
    return replace(plan, artifact_policies={**plan.artifact_policies, **dict.fromkeys(INSTRUMENTS, "off")})


def look_again(
    measurements: list[Measurement], question: Question, judge: Callable[[], SmokeResult], run: Callable[[Plan], RunEnded]
) -> Iterator[str]:
    """Makes the runs that the question asks for; gives a note for each that has not passed. `judge` says what is known so far."""
    for one in measurements if question.coverage else ():
        if one.plan.kind == "journey" and not one.bad:
            one.coverage_run = _run(one, "coverage", run)
            yield from _note(one.coverage_run, "coverage")
    if question.cpu_profile == "off":
        return
    checks = {check.name: check for check in judge().journeys}
    for one in measurements:
        slow = _has_slow_steps(checks[one.journey.name])
        if one.plan.kind == "journey" and not one.bad and (slow or question.cpu_profile == "always"):
            one.profile_run = _run(one, "cpu_profile", run)
            yield from _note(one.profile_run, "the CPU profile")


def _has_slow_steps(check: JourneyCheck) -> bool:
    return any(
        (step.comparison is not None and step.comparison.outcome == "slower") or any(one.missed for one in step.budgets)
        for step in check.steps
    )


def _run(one: Measurement, kind: str, run: Callable[[Plan], RunEnded]) -> RunEnded:
    return run(replace(one.plan, artifact_policies={**one.plan.artifact_policies, kind: "on"}))


def _note(ended: RunEnded, what: str) -> Iterator[str]:
    result = ended.result
    if result.status != "passed":
        yield f"the run of {result.journey} for {what} ended {result.status} (run {result.id})"
    yield from (f"{result.journey}: {note}" for note in result.notes)


def read_profile(ended: RunEnded | None, step: str) -> tuple[ProfiledFunction, ...]:
    """The busiest functions of a step."""
    for one in ended.result.steps if ended else ():
        if one.name == step and isinstance(one.signals, dict):
            found = one.signals.get("cpu_profile", {}).get("functions", [])
            return msgspec.convert(found, tuple[ProfiledFunction, ...])
    return ()


def read_unused(ended: RunEnded | None) -> tuple[UnusedFile, ...]:
    """The files with the most that no step has used."""
    if ended is None or ended.folder is None:
        return ()
    parties = {one.host: one.party for step in ended.result.steps for one in step.requests.weight}
    files = [ended.folder / one.path for one in ended.result.artifacts if one.kind == "coverage"]
    found = [_read_line(line, parties) for file in files if file.is_file() for line in file.read_bytes().splitlines()]
    return tuple([one for one in found if one.unused_bytes][:FILES])


class _Line(msgspec.Struct):
    type: str
    url: str
    bytes: int
    unused_bytes: int


def _read_line(line: bytes, parties: dict[str, str]) -> UnusedFile:
    one = msgspec.json.decode(line, type=_Line)
    party = parties.get(host_of(one.url), "")
    return UnusedFile(type=one.type, url=one.url, party=party, bytes=one.bytes, unused_bytes=one.unused_bytes)
