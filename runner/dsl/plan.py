"""All that one run of a journey needs, resolved from its options and the settings: a plain value that can be sent to a worker."""

import re
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import field
from msgspec.structs import replace

from runner.accessibility import AuditScope
from runner.dsl.context_plan import ContextPlan, plan_context
from runner.dsl.engine_limits import check_engine
from runner.dsl.journey import Journey, Kind
from runner.dsl.options import Network
from runner.dsl.protocols.registry import PROTOCOLS
from runner.dsl.slots.schedule import Schedule
from runner.errors import ConfigError
from runner.measures import CPU
from runner.result import Quarantine
from runner.settings.artifact_policy import ArtifactSettings
from runner.settings.parsers.accessibility import Switch
from runner.settings.parsers.telemetry import TracedRequests
from runner.settings.parsers.values import Engine, Waits
from runner.settings.sections.budgets import Budget
from runner.settings.settings import Settings

STATES = ".state"
"""Beside the runs: signed-in states, one file for each set-up journey, and for each other site that it signs in to."""
_SITE_STATE = re.compile(r"-[0-9a-f]{12}\.json")


class Plan(ArtifactSettings, frozen=True, kw_only=True):
    """One run to make. Durations are seconds."""

    journey: str
    file: Path
    kind: Kind = "journey"
    description: str = ""
    tags: tuple[str, ...] = ()
    line: int = 0
    """Of `file`, in which the journey is declared; 0 where it is not known."""
    owner: str = ""
    """Whom to ask about the journey."""
    runbook: str = ""
    """The address of what to do when it fails."""
    timeout: float = 60.0
    retries: int = 0
    base_url: str | None = None
    mailbox: str | None = None
    """The address of the mail server and the account; its password is a secret."""
    action_timeout: float = 30.0
    waits: Waits = "events"
    accessibility: Switch = "off"
    """Whether the page is checked at the end of each step."""
    audit_scope: AuditScope = AuditScope()
    browser: Engine = "chromium"
    location: str = "local"
    release: str = ""
    params: dict[str, str] = field(default_factory=dict)
    step_names: tuple[str, ...] = ()
    budgets: tuple[Budget, ...] = ()
    """The budgets that apply to the journey or to its steps."""
    quarantine: tuple[Quarantine, ...] = ()
    """What sets the journey or its steps aside."""
    source: str | None = None
    """The source to run in place of `file`; None to read the file when the run begins."""
    device: str | None = None
    viewport: tuple[int, int] | None = None
    locale: str | None = None
    timezone: str | None = None
    geolocation: dict[str, float] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    basic_auth: tuple[str, str] | None = None
    ca_file: Path | None = None
    """Of a check: certificates of authorities that it trusts beside those of the machine."""
    storage_state: Path | None = None
    signed_in_by: str | None = None
    """The journey of the same file that signs in."""
    state_file: Path | None = None
    """The file of the state that it makes."""
    ignore_https_errors: bool = False
    network: Network | None = None
    cpu: float | None = None
    user_agent_suffix: str | None = None
    context: ContextPlan = ContextPlan()
    """How the browser context reaches the site, and what it finds there."""
    trace_origins: tuple[str, ...] = ()
    """The origins whose requests have the header of the run's trace."""
    trace_requests: TracedRequests = "all"
    trace_baggage: bool = False
    update_pictures: bool = False
    """Whether `expect_picture` stores pictures instead of comparing them."""
    secret_names: tuple[str, ...] = ()
    """The secrets that it is known to need."""
    script_cpu: bool = False
    """Whether the time of scripts is measured even where no budget asks for it."""
    traced: bool = False
    """Whether the run has a trace, of which its result says the id."""
    bundle: str | None = None
    """The digest of the bundle that its file is from; None for a file of this machine."""
    reads_options: bool = False
    """Whether headers, accounts, the context and files are read from the journey's options where the run is made: a plan that has
    travelled has none of them."""

    @property
    def measures_script_cpu(self) -> bool:
        """Whether the time of scripts is measured."""
        return self.script_cpu or any(one.figure in CPU for one in self.budgets)


SHARED = ("base_url", "mailbox", "timeout", "retries", "waits", "browser", "accessibility")
"""What both a journey and the settings can set, beside the policies of artifacts."""


def plan(journey: Journey, settings: Settings) -> Plan:
    """Resolves one journey. Where both set a value, the order is: default, file, journey, environment, option; the later wins.

    Raises ConfigError when a file that the journey names does not exist, when its runs have no place, or when a package is missing
    that a check needs.
    """
    _check_place(journey, settings)
    _check_protocols(journey)
    _check_mailbox(journey, settings)
    given = journey.options
    shared: dict[str, Any] = {}
    for name in SHARED:
        own = getattr(given, name)
        shared[name] = getattr(settings, name) if own is None or _is_overridden(name, settings) else own
    if journey.kind == "journey":
        check_engine(journey, shared["browser"], settings)
    policies = settings.artifact_policies | {
        name: policy for name, policy in given.artifact_policies.items() if not _is_overridden(name, settings)
    }
    return Plan(
        journey=journey.name,
        kind=journey.kind,
        file=journey.file,
        description=journey.description,
        tags=given.tags,
        line=journey.line,
        owner=given.owner or "",
        runbook=given.runbook or "",
        action_timeout=settings.action_timeout,
        location=settings.location,
        release=settings.release,
        artifact_policies=policies,
        artifact_limit=settings.artifact_limit,
        redaction=settings.redaction,
        redact=settings.redact,
        secrets_dir=settings.secrets_dir,
        secrets_file=settings.secrets_file,
        audit_scope=settings.audit_scope,
        picture_area=settings.picture_area,
        picture_ignore=settings.picture_ignore,
        picture_folder=settings.picture_folder,
        params=settings.params,
        step_names=journey.step_names,
        budgets=tuple(one for one in settings.budgets if fnmatchcase(journey.name, one.journey)),
        quarantine=tuple(one for one in settings.quarantine if one.journey == journey.name),
        device=given.device,
        viewport=given.viewport,
        locale=given.locale,
        timezone=given.timezone,
        geolocation=given.geolocation,
        headers=given.headers,
        basic_auth=(given.basic_auth[0], given.basic_auth[1].reveal()) if given.basic_auth else None,
        ca_file=_find_named_file(journey, "ca_file", "it holds certificates of authorities, as PEM") or settings.ca_file,
        storage_state=_find_named_file(journey, "storage_state", "save one with `context.storage_state`"),
        signed_in_by=given.signed_in_by,
        state_file=_state_file(journey, settings),
        ignore_https_errors=given.ignore_https_errors,
        network=given.network,
        cpu=given.cpu,
        user_agent_suffix=given.user_agent_suffix,
        context=plan_context(journey, shared["base_url"]),
        trace_origins=settings.trace_origins,
        trace_requests=settings.trace_requests,
        trace_baggage=settings.trace_baggage,
        secret_names=tuple(sorted(journey.secret_names)),
        script_cpu=settings.script_cpu,
        traced=settings.otlp_endpoint is not None or bool(settings.trace_origins),
        **shared,
    )


def read_own_options(plan: Plan, journey: Journey) -> Plan:
    """The plan with what may be secret in the journey's options, as they are on this machine; any other plan is returned as it is.

    Raises ConfigError for a file that the options name and that does not exist here.
    """
    if not plan.reads_options:
        return plan
    given = journey.options
    try:
        return replace(
            plan,
            reads_options=False,
            headers=given.headers,
            basic_auth=(given.basic_auth[0], given.basic_auth[1].reveal()) if given.basic_auth else None,
            ca_file=_find_named_file(journey, "ca_file", "it holds certificates of authorities, as PEM") or plan.ca_file,
            storage_state=_find_named_file(journey, "storage_state", "save one with `context.storage_state`"),
            context=plan_context(journey, plan.base_url),
        )
    except ConfigError as error:
        raise ConfigError(
            f"{error}. Files with secrets do not travel in a bundle: put it below the bundle_files of this machine, at the same path"
        ) from error


def _is_overridden(name: str, settings: Settings) -> bool:
    """Whether the settings win over the journey."""
    return settings.origin(name) in {"environment", "option"}


def _state_file(journey: Journey, settings: Settings) -> Path | None:
    name = journey.options.signed_in_by
    if name is None:
        return None
    if journey.options.storage_state is not None:
        raise ConfigError(f"{journey.where}: options storage_state and signed_in_by: both give the signed-in state; keep one")
    return state_file(settings.runs_dir, name)


def state_file(runs_dir: Path, setup: str, elsewhere: Path | None = None) -> Path:
    """The signed-in state that the journey `setup` makes; `elsewhere` is that of a scheduler, whose name says for which site it is."""
    name = elsewhere.name if elsewhere is not None else ""
    return runs_dir / STATES / (name if _SITE_STATE.fullmatch(name.removeprefix(setup)) else f"{setup}.json")


def state_file_for_site(file: Path, base_url: str) -> Path:
    """That for another site than the journey's own: whoever is signed in there is not signed in here."""
    return file.with_name(f"{file.stem}-{sha256(base_url.encode()).hexdigest()[:12]}{file.suffix}")


def find_state_files(runs_dir: Path, setup: str) -> list[Path]:
    """All signed-in states of a set-up journey."""
    folder = runs_dir / STATES
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        one
        for one in files
        if one.name == f"{setup}.json" or (one.name.startswith(setup) and _SITE_STATE.fullmatch(one.name.removeprefix(setup)))
    ]


def _check_place(journey: Journey, settings: Settings) -> None:
    """Raises ConfigError for a journey with the name of a file in the folder of the runs, where its own folder would be."""
    place = settings.runs_dir.resolve() / journey.name
    database = settings.database_url.removeprefix("sqlite:///")
    # SQLite's own files, which need not exist yet (https://sqlite.org/tempfiles.html).
    reserved = {f"{database}{ending}" for ending in ("", "-wal", "-shm", "-journal")}
    if str(place) in reserved or (place.exists() and not place.is_dir()):
        raise ConfigError(
            f"{journey.where}: the runs of {journey.name!r} need a folder of that name, but {place} is a file, or will be one; "
            "rename the journey, or name another folder with runs_dir"
        )


def _check_protocols(journey: Journey) -> None:
    for protocol in (PROTOCOLS[name] for name in journey.parameters if journey.kind == "check" and name in PROTOCOLS):
        if protocol.find_missing():
            raise ConfigError(f"{journey.where}: {protocol.explain_missing()}")


def _check_mailbox(journey: Journey, settings: Settings) -> None:
    if "mailbox" in journey.parameters and (journey.options.mailbox or settings.mailbox) is None:
        raise ConfigError(
            f"{journey.where}: {journey.name} asks for mailbox, and there is none; set mailbox to an address such as "
            "'imaps://monitor@mail.example', and the secret MAILBOX_PASSWORD"
        )


def _find_named_file(journey: Journey, option: str, hint: str) -> Path | None:
    given: Path | None = getattr(journey.options, option)
    if given is None:
        return None
    path = journey.file.parent / given
    if not path.is_file():
        raise ConfigError(f"{journey.where}: option {option}: {path} does not exist; {hint}")
    return path


def plan_locations(journey: Journey, settings: Settings) -> tuple[tuple[str, ...], bool]:
    """The places that the journey is walked from, and whether they have its slots in turn; no places: wherever the scheduler is."""
    given = journey.options
    names = settings.locations if given.locations is None or _is_overridden("locations", settings) else given.locations
    rotate = settings.rotate if given.rotate is None or _is_overridden("rotate", settings) else given.rotate
    return names, rotate


def plan_schedule(journey: Journey, settings: Settings) -> Schedule | None:
    """When the journey runs; None when it has neither `every` nor `cron`."""
    given = journey.options
    if given.every is None and given.cron is None:
        return None
    return Schedule(
        every=given.every,
        cron=given.cron,
        timezone=given.cron_timezone or settings.cron_timezone,
        jitter=settings.jitter if given.jitter is None else given.jitter,
    )
