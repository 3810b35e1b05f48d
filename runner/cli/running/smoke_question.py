"""What `journey smoke` asks: from its options and the settings to the question of a check."""

import secrets
from typing import TYPE_CHECKING

from msgspec.structs import replace

from runner.dsl.browser_options import THIRD_PARTY, parse_block
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import ConfigError
from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from reports.smoke.question import Question


def ask_question(
    settings: Settings,
    chosen: tuple[Journey, ...],
    sites: str | None,
    baseline: str | None,
    against: str | None,
    keep_going: bool,
    seed: int | None,
    notes: list[str],
) -> "Question":
    """The question of the check, from settings and options; `sites` are the base URLs under test.

    Raises ConfigError for options that exclude each other.
    """
    from reports.smoke import baseline as baselines
    from reports.smoke.question import Question, rule

    if baseline is not None and against is not None:
        raise ConfigError("--baseline and --against: both set what to compare with; use only one")
    if against is not None:
        _require_two_sites(against, chosen, settings)
    saved = baselines.load(baseline, settings.runs_dir) if baseline is not None else None
    if settings.origin("smoke_runs") == "option" and (baseline or against):
        notes.append("--runs is for journeys without a baseline; --max-runs limits the others too")
    if against is not None and against.rstrip("/") == (sites or "").rstrip("/"):
        notes.append("both sides are the same site: any difference is noise")
    return Question(
        rule=rule(settings),
        runs=min(settings.smoke_runs, settings.smoke_max_runs or settings.smoke_runs),
        warm_up=settings.smoke_warm_up,
        seed=secrets.randbelow(2**32) if seed is None else seed,
        keep_going=keep_going,
        fail_undecided=settings.smoke_undecided == "fail",
        budgets=settings.budgets,
        quarantine=settings.quarantine,
        location=settings.location,
        base_url=sites,
        against=against,
        saved=saved,
        saved_name=baseline or "",
        notes=tuple(notes),
    )


def ask_for_costs(
    question: "Question", blocks: tuple[str, ...], coverage: bool, settings: Settings, plans: list[tuple[Journey, Plan]]
) -> "Question":
    """The same question, of what is blocked, and of coverage and profiles, too. Raises ConfigError for what cannot be measured."""
    from reports.smoke.weight.blocking import EACH, leave_out

    if blocks and question.against is not None:
        raise ConfigError("--block and --against: each needs all rounds for itself; use only one")
    if EACH in blocks and not question.warm_up:
        raise ConfigError("--block each: the third parties are known from the warm-up; let --warm-up be 1 or more")
    try:
        parse_block([*blocks, *([THIRD_PARTY] if EACH in blocks else [])])
    except ValueError as error:
        raise ConfigError(f"--block: {error}") from error
    for pattern in blocks:
        for _, one in plans if pattern != EACH else ():
            leave_out(one, pattern)
    policies = [settings.artifact_policies, *(one.options.artifact_policies for one, _ in plans)]
    wanted = coverage or any(one.get("coverage") == "on" for one in policies)
    return replace(question, blocks=blocks, coverage=wanted, cpu_profile=settings.smoke_cpu_profile)


def _require_two_sites(against: str, chosen: tuple[Journey, ...], settings: Settings) -> None:
    try:
        parse_url(against)
    except ValueError as error:
        raise ConfigError(f"--against: {error}") from error
    for one in chosen:
        if settings.base_url is None and one.options.base_url is None:
            raise ConfigError(
                f"--against: {one.name} has no base URL, so both sides would be the same site; give the site under test with "
                "--base-url"
            )
