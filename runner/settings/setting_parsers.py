"""Which settings there are, and the function that parses the value of each."""

from collections.abc import Callable, Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from runner.errors import ConfigError
from runner.settings.artifact_kinds import ARTIFACT_KINDS
from runner.settings.duration import parse_duration, parse_positive_duration
from runner.settings.environment_variables import PREFIX
from runner.settings.parsers.accessibility import parse_rules_off, parse_switch, parse_tags
from runner.settings.parsers.addresses.base_urls import parse_base_url_patterns
from runner.settings.parsers.addresses.network import (
    parse_database_url,
    parse_gateway_url,
    parse_header_name,
    parse_ingest_path,
    parse_listen_address,
    parse_mailbox,
    parse_proxies,
)
from runner.settings.parsers.addresses.storage import parse_storage_credentials, parse_storage_url, read_storage_credentials
from runner.settings.parsers.addresses.web_address import parse_source_url, parse_url
from runner.settings.parsers.bundles import parse_file_patterns, parse_package_names
from runner.settings.parsers.dispatch import parse_broker, parse_dispatch, parse_queue_prefix
from runner.settings.parsers.identity import parse_claim_names, parse_issuer, parse_role_table, parse_scopes
from runner.settings.parsers.locations import parse_confirm, parse_location_count, parse_locations
from runner.settings.parsers.pictures import parse_picture_area, parse_picture_folder, parse_selectors
from runner.settings.parsers.secret_values import (
    parse_alert_urls,
    parse_secret,
    parse_token,
    read_alert_urls,
    read_secret,
    read_token,
)
from runner.settings.parsers.smoke import (
    parse_error_probability,
    parse_looks,
    parse_profile_when,
    parse_tolerance,
    parse_undecided,
)
from runner.settings.parsers.status_page import parse_status_page
from runner.settings.parsers.telemetry import (
    parse_histograms,
    parse_otlp_headers,
    parse_otlp_protocol,
    parse_remote_write_protocol,
    parse_trace_origins,
    parse_trace_url,
    read_otlp_headers,
)
from runner.settings.parsers.values import (
    parse_bool,
    parse_count,
    parse_count_of_count,
    parse_engine,
    parse_fraction,
    parse_label,
    parse_path,
    parse_paths,
    parse_policy,
    parse_positive_count,
    parse_regexes,
    parse_release,
    parse_size,
    parse_text,
    parse_text_table,
    parse_timezone,
    parse_traffic,
    parse_waits,
)
from runner.settings.sections.apps import parse_apps
from runner.settings.sections.budgets import parse_budgets
from runner.settings.sections.funnels import parse_funnels
from runner.settings.sections.maintenance import parse_windows
from runner.settings.sections.objectives import parse_objectives
from runner.settings.sections.quarantine import parse_quarantine
from runner.untrusted_text import tamed

LONGEST_MISTAKE = 1_000
"""Characters of what is said of one value, which may be of any length."""
ENVIRONMENTS = "env"
"""The table of the file that holds a table per environment."""
ONLY_SECRET = {
    "pushgateway_password",
    "pushgateway_bearer_token",
    "alert_urls",
    "serve_token",
    "oidc_client_secret",
    "artifacts_credentials",
    "broker_password",
    "bundle_key",
    "otlp_headers",
    "remote_write_password",
    "remote_write_bearer_token",
    "grafana_token",
}
SECRET_FILES = {f"{name}_file" for name in ONLY_SECRET}


def parse_setting(name: str, value: object, where: str, base: Path) -> Any:
    """The value of a setting; paths are relative to `base`. Raises ConfigError that begins with `where`."""
    parsers = list_parsers()
    if name not in parsers:
        raise ConfigError(f"{tamed(where, LONGEST_MISTAKE)} is not a setting; {_find_meant(name, where, parsers)}")
    try:
        checked = parsers[name](base / parse_path(value) if name in SECRET_FILES else value)
    except (ValueError, OSError) as error:
        raise ConfigError(f"{where}: {tamed(str(error), LONGEST_MISTAKE)}") from error
    if isinstance(checked, Path):
        return base / checked
    if name == "journeys":
        return tuple(base / one for one in checked)
    return checked


def _find_meant(name: str, where: str, parsers: Collection[str]) -> str:
    """What to say of a name that is not a setting."""
    if name == "tool":
        return "in journey.toml, settings are at the top; remove [tool.journey]"
    close = get_close_matches(name.lower(), (*parsers, ENVIRONMENTS), 1)
    if not close:
        return f"settings are: {', '.join(parsers)}"
    if where.startswith(PREFIX):
        return f"did you mean {PREFIX}{close[0].upper()}?"
    if close[0] == ENVIRONMENTS:
        return f"did you mean [{ENVIRONMENTS}.NAME]?"
    return f"did you mean {where.rpartition(name)[0]}{close[0]}?"


def list_parsers() -> dict[str, Callable[[Any], Any]]:
    """Every setting, with the function that parses its value or raises ValueError."""
    return _PARSERS | dict.fromkeys(ARTIFACT_KINDS, parse_policy)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "base_url": parse_url,
    "mailbox": parse_mailbox,
    "location": parse_label,
    "locations": parse_locations,
    "rotate": parse_bool,
    "release": parse_release,
    "runs_dir": parse_path,
    "journeys": parse_paths,
    "timeout": parse_positive_duration,
    "retries": parse_count,
    "workers": parse_positive_count,
    "action_timeout": parse_positive_duration,
    "waits": parse_waits,
    "browser": parse_engine,
    "headed": parse_bool,
    "slow_mo": parse_duration,
    "ca_file": parse_path,
    "http2": parse_bool,
    "browser_path": parse_path,
    "artifact_limit": parse_size,
    "redaction": parse_bool,
    "redact": parse_regexes,
    "secrets_dir": parse_path,
    "secrets_file": parse_path,
    "artifacts": parse_storage_url,
    "artifacts_endpoint": parse_url,
    "artifacts_region": parse_label,
    "artifacts_credentials": parse_storage_credentials,
    "artifacts_credentials_file": read_storage_credentials,
    "artifacts_ca_file": parse_path,
    "artifacts_timeout": parse_positive_duration,
    "artifacts_queue_size": parse_size,
    "artifacts_keep_local": parse_duration,
    "bundle_key": parse_token,
    "bundle_key_file": read_token,
    "bundle_include": parse_file_patterns,
    "bundle_exclude": parse_file_patterns,
    "bundle_requires": parse_package_names,
    "bundle_size": parse_size,
    "bundle_cache_size": parse_size,
    "bundle_files": parse_path,
    "accessibility": parse_switch,
    "accessibility_tags": parse_tags,
    "accessibility_include": parse_selectors,
    "accessibility_exclude": parse_selectors,
    "accessibility_off": parse_rules_off,
    "picture_area": parse_picture_area,
    "picture_ignore": parse_selectors,
    "picture_folder": parse_picture_folder,
    "keep_passed": parse_positive_duration,
    "keep_failed": parse_positive_duration,
    "keep_runs": parse_positive_count,
    "keep_size": parse_size,
    "keep_views": parse_positive_duration,
    "keep_views_size": parse_size,
    "keep_rollups": parse_positive_duration,
    "keep_rollups_size": parse_size,
    "keep_replays": parse_positive_duration,
    "keep_source_maps": parse_positive_duration,
    "source_maps_dir": parse_path,
    "keep_replays_size": parse_size,
    "keep_events_size": parse_size,
    "database": parse_database_url,
    "cron_timezone": parse_timezone,
    "jitter": parse_duration,
    "max_delay": parse_positive_duration,
    "dispatch": parse_dispatch,
    "broker": parse_broker,
    "broker_password": parse_secret,
    "broker_password_file": read_secret,
    "broker_ca_file": parse_path,
    "broker_client_certificate": parse_path,
    "broker_client_key": parse_path,
    "queue_prefix": parse_queue_prefix,
    "maintenance": parse_windows,
    "listen": parse_listen_address,
    "worker_runs": parse_positive_count,
    "worker_memory": parse_size,
    "min_free_memory": parse_size,
    "delete_groups": parse_bool,
    "confirm": parse_confirm,
    "confirm_within": parse_positive_duration,
    "alert_urls": parse_alert_urls,
    "alert_urls_file": read_alert_urls,
    "alert_after": parse_count,
    "alert_of": parse_count_of_count,
    "alert_locations": parse_location_count,
    "alert_monitor_after": parse_count,
    "alert_flaky": parse_fraction,
    "alert_budget_after": parse_count,
    "alert_again": parse_positive_duration,
    "public_url": parse_url,
    "source_url": parse_source_url,
    "status_page": parse_status_page,
    "budgets": parse_budgets,
    "quarantine": parse_quarantine,
    "slo": parse_objectives,
    "funnels": parse_funnels,
    "smoke_runs": parse_positive_count,
    "smoke_warm_up": parse_count,
    "smoke_max_runs": parse_positive_count,
    "smoke_tolerance": parse_tolerance,
    "smoke_undecided": parse_undecided,
    "smoke_picture_pairs": parse_positive_count,
    "smoke_cpu_profile": parse_profile_when,
    "smoke_looks": parse_looks,
    "smoke_alarm": parse_error_probability,
    "smoke_miss": parse_error_probability,
    "apps": parse_apps,
    "serve_listen": parse_listen_address,
    "serve_token": parse_token,
    "serve_token_file": read_token,
    "serve_users": parse_path,
    "serve_proxy_user_header": parse_header_name,
    "serve_public_metrics": parse_bool,
    "serve_requests_per_minute": parse_positive_count,
    "serve_drain": parse_duration,
    "remote_base_urls": parse_base_url_patterns,
    "require_https": parse_bool,
    "oidc_issuer": parse_issuer,
    "oidc_client_id": parse_text,
    "oidc_client_secret": parse_secret,
    "oidc_client_secret_file": read_secret,
    "oidc_scopes": parse_scopes,
    "oidc_role_claims": parse_claim_names,
    "oidc_roles": parse_role_table,
    "oidc_name_claim": parse_text,
    "oidc_ca_file": parse_path,
    "collector_listen": parse_listen_address,
    "collector_path": parse_ingest_path,
    "replay_path": parse_ingest_path,
    "trusted_proxies": parse_proxies,
    "counted_traffic": parse_traffic,
    "vital_settle": parse_duration,
    "max_pages": parse_positive_count,
    "params": parse_text_table,
    "pushgateway": parse_gateway_url,
    "pushgateway_username": parse_text,
    "pushgateway_password": parse_secret,
    "pushgateway_password_file": read_secret,
    "pushgateway_bearer_token": parse_secret,
    "pushgateway_bearer_token_file": read_secret,
    "pushgateway_ca_file": parse_path,
    "pushgateway_timeout": parse_positive_duration,
    "require_push": parse_bool,
    "remote_write": parse_url,
    "remote_write_username": parse_text,
    "remote_write_password": parse_secret,
    "remote_write_password_file": read_secret,
    "remote_write_bearer_token": parse_secret,
    "remote_write_bearer_token_file": read_secret,
    "remote_write_ca_file": parse_path,
    "remote_write_timeout": parse_positive_duration,
    "remote_write_protocol": parse_remote_write_protocol,
    "remote_write_histograms": parse_histograms,
    "otlp_endpoint": parse_url,
    "otlp_metrics_endpoint": parse_url,
    "otlp_protocol": parse_otlp_protocol,
    "otlp_headers": parse_otlp_headers,
    "otlp_headers_file": read_otlp_headers,
    "otlp_ca_file": parse_path,
    "otlp_timeout": parse_positive_duration,
    "trace_origins": parse_trace_origins,
    "trace_baggage": parse_bool,
    "script_cpu": parse_bool,
    "trace_url": parse_trace_url,
    "trace_tests": parse_bool,
    "grafana_url": parse_url,
    "grafana_token": parse_secret,
    "grafana_token_file": read_secret,
    "grafana_ca_file": parse_path,
    "telemetry_queue_size": parse_size,
}
