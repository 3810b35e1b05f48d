"""Settings as environment variables: which variables are settings, and which only look like one."""

import re
from collections.abc import Mapping

from runner.settings.raw_text import strip_value
from runner.settings.secrets import PREFIX as SECRET_PREFIX

PREFIX = "JOURNEY_"
PARAM_PREFIX = "JOURNEY_PARAM_"
ENVIRONMENT = "JOURNEY_ENV"
SERVICE_ADDRESS = re.compile(
    r"(?:_[A-Z0-9_]+)?_(?:SERVICE_HOST=.*|SERVICE_PORT(?:_[A-Z0-9_]+)?=\d+|PORT=\w+://.*|PORT_\d+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?=.*)"
)
"""Variables that Kubernetes sets in every container beside a service named `journey` or `journey-…`, after `JOURNEY`.

https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
"""
MEANT_EMPTY = {"JOURNEY_RELEASE", "JOURNEY_LOCATION"}
"""Variables of which an empty value is not as good as none: a release that is not known; a location that would be that of others."""

OTEL_VARIABLES = {
    "otlp_endpoint": ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    "otlp_metrics_endpoint": ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",),
    "otlp_protocol": ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"),
}
"""Variables of OpenTelemetry that stand for settings that are not set; the last one wins. Its exporters read the others themselves."""


def read_otel_environ(environ: Mapping[str, str]) -> dict[str, object]:
    """The settings that variables of OpenTelemetry stand for; none where they turn it off, or name no receiver.

    Metrics go to the receiver of everything only where a variable says so: many a receiver of spans rejects them.
    """
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return {}
    variables = dict(OTEL_VARIABLES)
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        del variables["otlp_endpoint"]
    metrics = environ.get("OTEL_METRICS_EXPORTER")
    if metrics == "otlp":
        variables["otlp_metrics_endpoint"] = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    elif metrics:
        del variables["otlp_metrics_endpoint"]
    return {setting: environ[name] for setting, names in variables.items() for name in names if environ.get(name)}


def read_environ(environ: Mapping[str, str]) -> dict[str, object]:
    """The settings among the variables, by name, with the values as they were written; parameters together as `params`."""
    found: dict[str, object] = {}
    params: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable == ENVIRONMENT or variable.startswith(SECRET_PREFIX):
            continue
        if _is_service_address(variable, value) or (not strip_value(value).strip() and variable not in MEANT_EMPTY):
            continue
        if variable.startswith(PARAM_PREFIX):
            params[variable.removeprefix(PARAM_PREFIX).lower()] = value
            continue
        found[variable.removeprefix(PREFIX).lower()] = value
    return {**found, "params": params} if params else found


def _is_service_address(variable: str, value: str) -> bool:
    """Whether Kubernetes set the variable, for a service whose name begins with `journey`.

    >>> _is_service_address("JOURNEY_PORT_9464_TCP_ADDR", "10.0.0.7"), _is_service_address("JOURNEY_PORT", "tcp://10.0.0.7:9464")
    (True, True)

    A number alone is a user's mistake, and is reported:

    >>> _is_service_address("JOURNEY_PORT", "9464")
    False
    """
    text = f"_{variable.removeprefix(PREFIX)}={value}"
    return not variable.startswith(PARAM_PREFIX) and SERVICE_ADDRESS.fullmatch(text) is not None
