"""Every setting, with its type and its default."""

from pathlib import Path
from typing import Literal

from msgspec import field

from runner.accessibility import DEFAULT_TAGS, AuditScope
from runner.result import Quarantine
from runner.settings.artifact_policy import ArtifactSettings
from runner.settings.parsers.accessibility import Switch
from runner.settings.parsers.dispatch import Dispatch
from runner.settings.parsers.identity import DashboardRole
from runner.settings.parsers.locations import Confirm, LocationCount
from runner.settings.parsers.smoke import ProfileWhen
from runner.settings.parsers.status_page import StatusPage
from runner.settings.parsers.telemetry import Histograms, OtlpProtocol, RemoteWriteProtocol, TracedRequests
from runner.settings.parsers.values import Engine, Traffic, Waits
from runner.settings.secrets import Secret
from runner.settings.sections.apps import App
from runner.settings.sections.budgets import Budget
from runner.settings.sections.funnels import Funnel
from runner.settings.sections.maintenance import MaintenanceWindow
from runner.settings.sections.objectives import Objective

Origin = Literal["default", "file", "environment", "option"]


class Settings(ArtifactSettings, frozen=True, kw_only=True):
    """All settings, resolved. Durations are seconds; every one is described in docs/configuration.md."""

    base_url: str | None = None
    mailbox: str | None = None
    location: str = "local"
    locations: tuple[str, ...] = ()
    rotate: bool = False
    release: str = ""
    runs_dir: Path = Path("runs")
    journeys: tuple[Path, ...] = (Path("journeys"),)
    timeout: float = 60.0
    retries: int = 0
    workers: int = 1
    action_timeout: float = 30.0
    waits: Waits = "events"
    accessibility: Switch = "off"
    accessibility_tags: tuple[str, ...] = DEFAULT_TAGS
    accessibility_include: tuple[str, ...] = ()
    accessibility_exclude: tuple[str, ...] = ()
    accessibility_off: dict[str, str] = field(default_factory=dict)
    browser: Engine = "chromium"
    headed: bool = False
    slow_mo: float = 0.0
    browser_path: Path | None = None
    ca_file: Path | None = None
    http2: bool = True
    keep_passed: float = 30 * 86_400.0
    keep_failed: float = 90 * 86_400.0
    keep_runs: int = 2_000
    keep_size: int = 10_000_000_000
    keep_views: float = 30 * 86_400.0
    keep_views_size: int = 20_000_000_000
    keep_rollups: float = 400 * 86_400.0
    keep_rollups_size: int = 5_000_000_000
    keep_replays: float = 7 * 86_400.0
    keep_replays_size: int = 5_000_000_000
    keep_events_size: int = 500_000_000
    keep_source_maps: float = 30 * 86_400.0
    keep_source_maps_size: int = 10_000_000_000
    source_maps_dir: Path | None = None
    artifacts: str | None = None
    artifacts_endpoint: str | None = None
    artifacts_region: str | None = None
    artifacts_credentials: Secret | None = None
    artifacts_ca_file: Path | None = None
    artifacts_timeout: float = 30.0
    artifacts_queue_size: int = 2_000_000_000
    artifacts_keep_local: float = 3600.0
    bundle_key: Secret | None = None
    bundle_include: tuple[str, ...] = ()
    bundle_exclude: tuple[str, ...] = ()
    bundle_requires: tuple[str, ...] = ()
    bundle_size: int = 100_000_000
    bundle_cache_size: int = 1_000_000_000
    bundle_files: Path | None = None
    database: str | None = None
    cron_timezone: str = "UTC"
    jitter: float = 0.0
    max_delay: float = 60.0
    dispatch: Dispatch = "local"
    broker: Secret | None = None
    """An address, which may hold a password."""
    broker_password: Secret | None = None
    broker_ca_file: Path | None = None
    broker_client_certificate: Path | None = None
    broker_client_key: Path | None = None
    queue_prefix: str = "journeys"
    maintenance: tuple[MaintenanceWindow, ...] = ()
    listen: str = "127.0.0.1:9464"
    worker_runs: int = 200
    worker_memory: int = 2_000_000_000
    min_free_memory: int = 300_000_000
    delete_groups: bool = False
    confirm: Confirm = "no"
    confirm_within: float = 120.0
    alert_urls: tuple[Secret, ...] = ()
    alert_after: int = 2
    alert_of: tuple[int, int] = (0, 0)
    alert_locations: LocationCount = LocationCount()
    alert_monitor_after: int = 3
    alert_flaky: float = 0.3
    alert_budget_after: int = 3
    alert_again: float = 4 * 3600.0
    public_url: str | None = None
    source_url: str | None = None
    status_page: StatusPage | None = None
    budgets: tuple[Budget, ...] = ()
    quarantine: tuple[Quarantine, ...] = ()
    slo: tuple[Objective, ...] = ()
    funnels: tuple[Funnel, ...] = ()
    smoke_runs: int = 5
    smoke_warm_up: int = 1
    smoke_max_runs: int | None = None
    smoke_undecided: Literal["pass", "fail"] = "pass"
    smoke_tolerance: tuple[float | None, float | None] = (None, None)
    """A fraction of the baseline, and seconds; None, here and below, means the default of the comparison."""
    smoke_picture_pairs: int = 5
    smoke_cpu_profile: ProfileWhen = "off"
    smoke_looks: tuple[int, ...] | None = None
    smoke_alarm: float | None = None
    smoke_miss: float | None = None
    apps: tuple[App, ...] = ()
    serve_listen: str = "127.0.0.1:8321"
    serve_token: Secret | None = None
    serve_users: Path | None = None
    serve_proxy_user_header: str | None = None
    serve_public_metrics: bool = False
    serve_requests_per_minute: int = 3_000
    serve_drain: float = 0.0
    remote_base_urls: tuple[str, ...] = ()
    require_https: bool = False
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: Secret | None = None
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email")
    oidc_role_claims: tuple[str, ...] = ("groups",)
    oidc_roles: dict[str, DashboardRole] = field(default_factory=dict)
    oidc_name_claim: str = "preferred_username"
    oidc_ca_file: Path | None = None
    collector_listen: str | None = None
    collector_path: str = "/v1/views"
    replay_path: str = "/v1/replay"
    trusted_proxies: tuple[str, ...] = ()
    counted_traffic: tuple[Traffic, ...] = ("real",)
    vital_settle: float = 30.0
    max_pages: int = 200
    params: dict[str, str] = field(default_factory=dict)
    pushgateway: str | None = None
    pushgateway_username: str | None = None
    pushgateway_password: Secret | None = None
    pushgateway_bearer_token: Secret | None = None
    pushgateway_ca_file: Path | None = None
    pushgateway_timeout: float = 10.0
    require_push: bool = False
    remote_write: str | None = None
    remote_write_username: str | None = None
    remote_write_password: Secret | None = None
    remote_write_bearer_token: Secret | None = None
    remote_write_ca_file: Path | None = None
    remote_write_timeout: float = 10.0
    remote_write_protocol: RemoteWriteProtocol = "1.0"
    remote_write_histograms: Histograms = "classic"
    otlp_endpoint: str | None = None
    otlp_metrics_endpoint: str | None = None
    otlp_protocol: OtlpProtocol = "http/protobuf"
    otlp_headers: Secret | None = None
    otlp_ca_file: Path | None = None
    otlp_timeout: float = 5.0
    trace_origins: tuple[str, ...] = ()
    trace_requests: TracedRequests = "all"
    trace_baggage: bool = False
    script_cpu: bool = False
    trace_url: str | None = None
    trace_tests: bool = False
    grafana_url: str | None = None
    grafana_token: Secret | None = None
    grafana_ca_file: Path | None = None
    telemetry_queue_size: int = 100_000_000
    origins: dict[str, Origin] = field(default_factory=dict)
    """The origin of each setting that is not a default."""

    @property
    def database_url(self) -> str:
        """Where runs are stored: `database`, or a file beside the saved runs."""
        return self.database or f"sqlite:///{self.runs_dir.resolve() / 'journeys.db'}"

    @property
    def audit_scope(self) -> AuditScope:
        """What of a page is checked for accessibility."""
        return AuditScope(
            include=self.accessibility_include,
            exclude=self.accessibility_exclude,
            tags=self.accessibility_tags,
            off=self.accessibility_off,
        )

    @property
    def sends_tests(self) -> bool:
        """Whether runs of `journey smoke` and of pytest are sent as spans."""
        return self.trace_tests and self.otlp_endpoint is not None

    def origin(self, name: str) -> Origin:
        """Where the value of a setting comes from."""
        return self.origins.get(name, "default")
