"""The files for operations, as far as they can be checked without what they are for."""

import json
import os
import re
import shutil
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
import yaml
from grafana_foundation_sdk.models.alerting import ContactPoint

from reports.grafana.definition.notifications import convert_routes
from reports.grafana.definition.write import encode_notifications
from reports.objectives.burn_alerts import Severity
from reports.objectives.prometheus_rules import ALERT
from reports.web.access.authenticator import Authenticator
from runner.settings.load_settings import load_settings
from runner.settings.setting_parsers import list_parsers
from runner.store import Store
from tests.test_supply import load

FOLDER = Path(__file__).parents[1] / "docs" / "deploy"
ROOT = FOLDER.parents[1]


def text(name: str) -> str:
    return (FOLDER / name).read_text()


@pytest.mark.parametrize("name", [one.name for one in FOLDER.iterdir()])
def test_every_setting_in_them_exists(name: str) -> None:
    named = {word.lower() for word in re.findall(r"JOURNEY_([A-Z_]+)", text(name))}
    assert named - set(list_parsers()) == set()


UNITS = ("journey.service", "journey-serve.service")


@pytest.mark.parametrize("name", UNITS)
def test_the_units_are_valid_and_confined(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd on this machine")
    unit = tmp_path / name
    # The program that it starts is not there.
    unit.write_text(text(name).replace("/opt/journey/bin/journey", shutil.which("true") or ""))
    ended = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", unit], capture_output=True, text=True
    )
    assert rated.returncode == 0, rated.stdout


def test_each_unit_reads_a_file_of_secrets_of_its_own() -> None:
    files = [re.findall(r"^EnvironmentFile=-(\S+)$", text(name), re.MULTILINE) for name in UNITS]
    assert [len(one) for one in files] == [1, 1]
    assert files[0] != files[1], "a journey can read what is in the environment of its worker"
    for name, (file,) in zip(UNITS, files, strict=True):
        assert file in "".join(line for line in text(name).splitlines() if line.startswith("#")), f"{name} says what it is for"


@pytest.mark.parametrize("name", UNITS)
def test_the_units_let_chromium_build_its_sandbox(name: str) -> None:
    lines = text(name).splitlines()
    assert "RestrictNamespaces=user pid net" in lines
    # Found with strace: `chroot` into an empty folder, `seccomp`, Landlock, keys of memory pages for JavaScript.
    assert (
        "SystemCallFilter=@system-service @pkey chroot seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"
        in lines
    )


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(text("prometheus.yml"))
    (tmp_path / "alerts.yml").write_text((ROOT / "reports" / "prometheus" / "alerts.yml").read_text())
    ended = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "18 rules found" in ended.stdout


def route(*labels: str) -> str:
    """The receiver of an alert with these labels."""
    command = ["amtool", "config", "routes", "test", f"--config.file={FOLDER / 'alertmanager.yml'}", *labels]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


def test_alertmanager_takes_its_configuration_and_leads_each_alert_to_somebody() -> None:
    checked = subprocess.run(["amtool", "check-config", FOLDER / "alertmanager.yml"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    groups = yaml.safe_load((ROOT / "reports" / "prometheus" / "alerts.yml").read_text())["groups"]
    rules = {rule["alert"]: rule["labels"]["severity"] for group in groups for rule in group["rules"]}
    ways = {severity: route(f"severity={severity}") for severity in {*rules.values(), *get_args(Severity)}}
    assert ways == {"critical": "on-call", "page": "on-call", "warning": "team", "ticket": "team"}
    inhibited = yaml.safe_load(text("alertmanager.yml"))["inhibit_rules"]
    named = set(re.findall(r"alertname = (\w+)", str(inhibited)))
    assert named <= {*rules, ALERT}


def chosen(policy: dict[str, Any], severity: str) -> str:
    """The contact point of an alert, by what Grafana documents: the first policy that matches, else the one above it."""
    for one in policy.get("routes", ()):
        if all(
            sign == "=~" and re.fullmatch(value, severity)
            for label, sign, value in one["object_matchers"]
            if label == "severity"
        ):
            return chosen(one, severity)
    return str(policy["receiver"])


def test_grafana_leads_each_alert_to_the_same_receiver_as_alertmanager() -> None:
    assert text("grafana-notifications.yml") == encode_notifications()
    content = yaml.safe_load(text("grafana-notifications.yml"))
    (policy,) = content["policies"]
    for severity in ("critical", "page", "warning", "ticket", "another"):
        assert chosen(policy, severity) == route(f"severity={severity}")
    for point in content["contactPoints"]:
        for receiver in point["receivers"]:
            assert ContactPoint.from_json(receiver).to_json() == receiver
    assert {point["name"] for point in content["contactPoints"]} == {"on-call", "team"}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"receivers": [{"name": "a", "slack_configs": []}], "route": {"receiver": "a"}}, "receiver a: only webhook_configs"),
        ({"receivers": [], "route": {"receiver": "a", "match": {}}}, "a route has match"),
        ({"receivers": [], "route": {"receiver": "a", "matchers": ["severity"]}}, "'severity' is not a matcher"),
    ],
)
def test_routes_that_cannot_be_written_for_grafana_are_refused(file: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        convert_routes(file)


def test_the_compose_file_mounts_what_is_there_and_scrapes_what_it_starts() -> None:
    services = yaml.safe_load(text("compose.yaml"))["services"]
    for service in services.values():
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            assert not source.startswith(".") or (FOLDER / source).exists(), mount
    targets = re.findall(r'targets: \["([\w-]+):\d+"\]', text("prometheus.yml"))
    assert set(targets) <= set(services)
    assert len(targets) == 3


def test_grafana_is_given_the_dashboards_and_where_to_ask() -> None:
    mounts = dict(
        reversed(mount.removesuffix(":ro").split(":"))
        for mount in yaml.safe_load(text("compose.yaml"))["services"]["grafana"]["volumes"]
    )
    (provider,) = yaml.safe_load(text("grafana-dashboards.yml"))["providers"]
    folder = (FOLDER / mounts[provider["options"]["path"]]).resolve()
    assert sorted(one.name for one in folder.glob("*.json")) == [
        "journeys.json", "locations.json", "objectives.json", "real-users.json",
    ]  # fmt: skip
    assert (FOLDER / mounts["/etc/grafana/provisioning/alerting/journey.yml"]).is_file()
    (source,) = yaml.safe_load(text("grafana-datasource.yml"))["datasources"]
    # A dashboard's choice of a source begins with the one that is the default.
    assert source["isDefault"]
    assert source["type"] == "prometheus"


def test_the_collector_of_the_compose_file_may_be_reached_by_visitors(tmp_path: Path) -> None:
    service = yaml.safe_load(text("compose.yaml"))["services"]["dashboard"]
    (tmp_path / "journey.toml").write_text(text("journey.toml"))
    given = {name: value for name, value in service["environment"].items() if "$" not in value}
    listen = service["command"][service["command"].index("--listen") + 1]
    settings = load_settings(tmp_path, {"serve_listen": listen}, given | {"JOURNEY_SERVE_TOKEN": "sixteen-characters"})
    assert [one.name for one in settings.apps] == ["shop"]
    assert settings.serve_public_metrics
    with Store(settings.database_url) as store:
        assert not Authenticator(settings, store).open


def deployment() -> dict[str, Any]:
    """What a pod of the manifest is made of."""
    found: dict[str, Any] = next(yaml.safe_load_all(text("kubernetes.yaml")))["spec"]["template"]["spec"]
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("version", ["latest", "1.28"])
def test_kubernetes_accepts_the_manifest(version: str) -> None:
    # What it imports takes a third as long as collecting all tests.
    import kubernetes_validate

    if version == "latest":
        version = kubernetes_validate.latest_version()
    # Strictly: no field that this version does not have.
    for name in ("kubernetes.yaml", "kubernetes-locations.yaml", "kubernetes-serve.yaml"):
        for one in yaml.safe_load_all(text(name)):
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["compose.yaml", "compose.locations.yaml"])
def test_the_compose_file_is_valid(name: str) -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        str(FOLDER / name),
    ]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_kubernetes_confines_the_pod_and_what_its_browser_reaches() -> None:
    pod = deployment()
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    inside = container["securityContext"]
    assert (inside["readOnlyRootFilesystem"], inside["allowPrivilegeEscalation"]) == (True, False)
    assert inside["capabilities"] == {"drop": ["ALL"]}
    _, policy = yaml.safe_load_all(text("kubernetes.yaml"))
    blocks = [to["ipBlock"] for rule in policy["spec"]["egress"] for to in rule["to"] if "ipBlock" in to]
    closed = [ip_network(one) for one in blocks[0]["except"]]
    # The addresses at which clouds answer their machines among them.
    for address in ("10.96.0.1", "172.31.0.2", "192.168.1.1", "100.100.100.200", "169.254.169.254", "168.63.129.16"):
        assert any(ip_address(address) in one for one in closed), address
    for internal in ("fd00:ec2::254", "fe80::1", "::1", "64:ff9b::a00:1"):
        assert ip_address(internal) not in ip_network(blocks[1]["cidr"]), internal


def test_the_network_policy_opens_the_ports_that_are_listened_on_and_connected_to_and_no_others() -> None:
    manifest, policy = yaml.safe_load_all(text("kubernetes.yaml"))
    template, rules = manifest["spec"]["template"], policy["spec"]
    assert rules["policyTypes"] == ["Ingress", "Egress"], "what no rule opens is closed in both directions"
    assert rules["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items(), "it is about these pods"
    (container,) = template["spec"]["containers"]
    environment = {one["name"]: one.get("value", "") for one in container["env"]}
    listening = int(environment["JOURNEY_LISTEN"].rpartition(":")[2])
    opened = [port["port"] for rule in rules["ingress"] for port in rule["ports"]]
    assert opened == [port["containerPort"] for port in container["ports"]] == [listening]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(listening)
    assert all(rule["from"] for rule in rules["ingress"]), "a rule without senders lets everybody in"
    used = {"http": 80, "https": 443, "PostgreSQL": 5432, "DNS": 53}
    assert {port["port"] for rule in rules["egress"] for port in rule["ports"]} == set(used.values())
    to = {port["port"]: rule["to"] for rule in rules["egress"] for port in rule["ports"]}
    assert all("ipBlock" not in place for port in (used["PostgreSQL"], used["DNS"]) for place in to[port])


def test_the_compose_file_confines_the_browser_and_has_no_default_password() -> None:
    services = yaml.safe_load(text("compose.yaml"))["services"]
    for name in ("journeys", "dashboard", "tables"):
        one = services[name]
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert {"no-new-privileges:true", "seccomp:./seccomp.json"} == set(one["security_opt"])
    beside = {name for name, one in services.items() if set(one["networks"]) & set(services["journeys"]["networks"])}
    # The one that creates the tables ends when it has, and listens on nothing.
    assert beside == {"journeys", "dashboard", "database", "prometheus", "tables"}
    values = {
        k: v for one in services.values() for k, v in one.get("environment", {}).items() if re.search("PASSWORD|TOKEN", k)
    }
    assert values
    assert all(re.fullmatch(r"\$\{\w+:\?.+\}", value) for value in values.values()), values


def test_the_services_of_the_compose_file_use_the_tables_and_own_none() -> None:
    services = yaml.safe_load(text("compose.yaml"))["services"]
    accounts = {
        name: urlsplit(one["environment"]["JOURNEY_DATABASE"].partition(":$")[0]).netloc
        for name, one in services.items()
        if "JOURNEY_DATABASE" in one.get("environment", {})
    }
    assert accounts == {
        "journeys": "journey",
        "dashboard": "journey",
        "tables": services["database"]["environment"]["POSTGRES_USER"],
    }
    assert "CREATE ROLE journey LOGIN" in text("database.sql")
    assert any(mount.startswith("./database.sql:/docker-entrypoint-initdb.d/") for mount in services["database"]["volumes"])
    assert {services[name]["depends_on"]["tables"]["condition"] for name in ("journeys", "dashboard")} == {
        "service_completed_successfully"
    }


def test_the_compose_file_says_nothing_that_podman_of_debian_takes_otherwise() -> None:
    """Seen with podman 4.3 and podman-compose 1.0.3, which `compose` of Docker does not need."""
    written = text("compose.yaml")
    networks = yaml.safe_load(written)["networks"]
    for service in yaml.safe_load(written)["services"].values():
        # It knows no owner of a tmpfs, and splits a list of words without their quotes.
        assert not [folder for folder in service.get("tmpfs", ()) if ":" in folder]
        assert isinstance(service.get("healthcheck", {}).get("test", ""), str)
        # A published port leads to the first network by name (CNI), which must be one that the machine reaches.
        if "ports" in service:
            assert not (networks[min(service["networks"])] or {}).get("internal"), service["networks"]
    # It passes on an empty default as it is written.
    assert ":-}" not in written


def test_the_seccomp_profile_lets_chromium_build_its_sandbox_and_nothing_be_mounted() -> None:
    profile = json.loads(text("seccomp.json"))
    allowed = {name for rule in profile["syscalls"] for name in rule["names"] if rule["action"] == "SCMP_ACT_ALLOW"}
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {"clone", "clone3", "unshare", "chroot", "seccomp"} <= allowed
    assert not {"mount", "ptrace", "bpf", "kexec_load", "init_module", "io_uring_setup", "keyctl", "reboot"} & allowed


def test_kubernetes_sets_no_variables_that_look_like_settings() -> None:
    assert deployment()["enableServiceLinks"] is False


def test_the_kubernetes_manifest_asks_for_paths_that_are_served() -> None:
    (container,) = deployment()["containers"]
    paths = {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert paths == {"/healthz", "/readyz"}
    port = next(one["value"] for one in container["env"] if one["name"] == "JOURNEY_LISTEN").rpartition(":")[2]
    assert str(container["ports"][0]["containerPort"]) == port


def test_servers_in_kubernetes_are_confined_and_leave_when_the_service_has_noticed(tmp_path: Path) -> None:
    parts = {one["kind"]: one for one in yaml.safe_load_all(text("kubernetes-serve.yaml"))}
    pod = parts["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (scheduler,) = deployment()["containers"]
    assert container["securityContext"] == scheduler["securityContext"]
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["securityContext"]["runAsNonRoot"] is True
    given = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    settings = load_settings(tmp_path, {}, given)
    ready = container["readinessProbe"]
    assert ready["httpGet"]["path"] == "/readyz"
    assert ready["periodSeconds"] * ready["failureThreshold"] < settings.serve_drain < pod["terminationGracePeriodSeconds"]
    assert {container[one]["httpGet"]["path"] for one in ("livenessProbe", "startupProbe")} == {"/healthz"}
    assert container["args"][-1] == f"0.0.0.0:{container['ports'][0]['containerPort']}"
    labels = parts["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert parts["Service"]["spec"]["selector"] == parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["Service"]["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]


def test_the_image_is_checked_as_it_is_documented_to_be_run() -> None:
    documented = " ".join(re.findall(r"^# (?:podman run)?(.*?)\\?$", text("Containerfile"), re.MULTILINE))
    checked = (ROOT / ".ci" / "image").read_text()
    for word in ("--init", "--shm-size=512m", "--read-only", "--tmpfs /tmp", "--tmpfs /home/journey", "--cap-drop=all"):
        assert word in documented, word
        assert word in checked, word
    for word in ("--security-opt=no-new-privileges", "--security-opt seccomp=docs/deploy/seccomp.json", "--format docker"):
        assert word in documented, word
        assert word in checked, word
    # Playwright's driver ends without it.
    assert "libatomic1" in text("Containerfile")


def test_a_process_that_is_not_confined_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    confinement = load("confinement", monkeypatch)
    found = confinement.find_faults(os.getpid())
    assert "it is in the user namespace of the machine" in found
    assert "no filter of system calls is on" in found
    assert os.getpid() in confinement.find_processes(os.getppid())


@pytest.mark.thorough
@pytest.mark.skipif(not Path("/var/lib/dpkg/status").exists(), reason="no packages of Debian on this machine")
def test_the_contents_of_an_image_are_listed_with_their_licences(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = load("image_contents", monkeypatch)
    debian = {one["name"]: one for one in contents.list_debian()}
    python = {one["name"].lower(): one for one in contents.list_python()}
    assert debian["base-files"]["purl"].startswith("pkg:deb/debian/base-files@")
    assert debian["base-files"]["licenses"]
    assert python["msgspec"]["licenses"] == [{"license": {"name": "BSD-3-Clause"}}]
    assert re.fullmatch(r"[0-9a-f]{64}", python["msgspec"]["hashes"][0]["content"])


LOCATIONS = ("frankfurt", "oregon")
WITHOUT = {"image", "depends_on", "command", "environment", "volumes", "networks", "ports", "healthcheck", "container_name"}
"""Fields of a service in which a worker of a location differs from the scheduler."""


def test_workers_of_locations_are_confined_like_the_scheduler_and_reach_less() -> None:
    base = yaml.safe_load(text("compose.yaml"))["services"]
    services = yaml.safe_load(text("compose.locations.yaml"))["services"]
    for name in LOCATIONS:
        worker = services[name]
        assert {key: one for key, one in worker.items() if key not in WITHOUT} == {
            key: one for key, one in base["journeys"].items() if key not in WITHOUT
        }
        assert "ports" not in worker
        assert not set(worker["networks"]) & set(base["database"]["networks"]), "a worker needs no database"
        assert worker["environment"]["JOURNEY_LOCATION"] == name
        assert "JOURNEY_DATABASE" not in worker["environment"]
        own = [mount for mount in worker["volumes"] if mount.endswith(":/work/runs")]
        assert own == [f"{name}:/work/runs"]
    for same in ("JOURNEY_BROKER", "JOURNEY_BUNDLE_KEY", "JOURNEY_ARTIFACTS", "JOURNEY_DISPATCH", "JOURNEY_BROKER_PASSWORD"):
        assert len({services[name]["environment"][same] for name in ("journeys", *LOCATIONS)}) == 1, same
    secret = {k: v for one in services.values() for k, v in one["environment"].items() if re.search("PASSWORD|KEY", k)}
    assert all(re.fullmatch(r"\$\{\w+:\?.+\}", value) for value in secret.values()), secret
    assert "ports" not in services["broker"]
    assert set(services["broker"]["networks"]) == {"queue"}
    assert yaml.safe_load(text("compose.locations.yaml"))["networks"]["queue"] == {"internal": True}
    folder = urlsplit(services["dashboard"]["environment"]["JOURNEY_ARTIFACTS"]).path
    for name in ("journeys", "dashboard", *LOCATIONS):
        assert f"artifacts:{folder}" in services[name]["volumes"], name
    assert f"{folder}\n" in text("Containerfile"), "a volume belongs to the user whose folder the image has in its place"


@pytest.mark.parametrize("name", ["journeys", *LOCATIONS])
def test_the_settings_of_dispatch_are_accepted(tmp_path: Path, name: str) -> None:
    environment = yaml.safe_load(text("compose.locations.yaml"))["services"][name]["environment"]
    given = {key: value if "$" not in value else "0123456789abcdef" for key, value in environment.items()}
    settings = load_settings(tmp_path, {}, given)
    assert (settings.dispatch, settings.artifacts) == ("celery", "file:///work/artifacts")
    assert settings.locations == LOCATIONS
    manifest = next(yaml.safe_load_all(text("kubernetes-locations.yaml")))
    again = load_settings(tmp_path, {}, manifest["data"])
    assert (again.dispatch, again.artifacts) == ("celery", "s3://monitoring/runs")
    assert again.locations == LOCATIONS


def test_the_broker_keeps_what_it_has_and_takes_its_password_from_standard_input() -> None:
    command = json.loads(re.findall(r"^CMD (\[.*\])$", text("Containerfile.broker"), re.MULTILINE)[0])
    assert command[:2] == ["sh", "-c"]
    written, _, server = command[2].rpartition("|")
    configuration = subprocess.run(
        ["sh", "-c", written], capture_output=True, text=True, env={**os.environ, "BROKER_PASSWORD": "oolong"}, check=True
    ).stdout
    assert server.strip() == "redis-server -"
    assert configuration.splitlines() == [
        "requirepass oolong", "dir /data", "appendonly yes", "maxmemory 256mb", "maxmemory-policy noeviction", "protected-mode no",
    ]  # fmt: skip


def workers() -> dict[str, dict[str, Any]]:
    """The Deployments of workers, by location."""
    found = [one for one in yaml.safe_load_all(text("kubernetes-locations.yaml")) if one["kind"] == "Deployment"]
    return {one["metadata"]["labels"]["location"]: one for one in found}


@pytest.mark.long
def test_workers_in_kubernetes_are_confined_and_only_connect_outwards() -> None:
    (scheduler,) = deployment()["containers"]
    assert tuple(workers()) == LOCATIONS
    for location, one in workers().items():
        assert one["metadata"]["name"] == f"journey-worker-{location}"
        assert one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"]
        pod = one["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        for field in ("securityContext", "automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds"):
            assert pod[field] == deployment()[field], field
        for field in ("securityContext", "image", "livenessProbe", "readinessProbe", "startupProbe"):
            assert container[field] == scheduler[field], field
        environment = {given["name"]: given["value"] for given in container["env"]}
        assert environment["JOURNEY_LOCATION"] == location
        assert {given["name"] for given in scheduler["env"]} - set(environment) >= {"JOURNEY_DATABASE"}
        (secrets,) = (volume["secret"]["secretName"] for volume in pod["volumes"] if volume["name"] == "secrets")
        assert secrets == f"journey-secrets-{location}", "each location has secrets of its own"
        listening = container["args"][container["args"].index("--listen") + 1]
        assert listening.endswith(f":{container['ports'][0]['containerPort']}")
    references = [{"configMapRef": {"name": "journey-dispatch"}}, {"secretRef": {"name": "journey-dispatch"}}]
    assert container["envFrom"] == references
    optional = [{kind: {**one, "optional": True} for kind, one in reference.items()} for reference in references]
    assert scheduler["envFrom"] == optional, "without locations, nothing of this is there"
    policies = {
        one["metadata"]["name"]: one["spec"]
        for name in ("kubernetes.yaml", "kubernetes-locations.yaml")
        for one in yaml.safe_load_all(text(name))
        if one["kind"] == "NetworkPolicy"
    }
    outwards = policies["journey-worker"]
    assert (outwards["policyTypes"], outwards["ingress"]) == (["Ingress", "Egress"], [])
    assert (
        outwards["podSelector"]["matchLabels"].items() <= workers()["oregon"]["spec"]["template"]["metadata"]["labels"].items()
    )
    assert outwards["egress"][-1] == policies["journey"]["egress"][-1], "pages reach what they reach from the scheduler"
    assert 5432 not in {port["port"] for rule in outwards["egress"] for port in rule["ports"]}, "a worker needs no database"
    assert outwards["egress"][1] in policies["journey-dispatch"]["egress"], "both reach the broker"


KEDA = {
    "TriggerAuthentication": {
        "secretTargetRef": {"items": {"properties": {key: {"type": "string"} for key in ("parameter", "name", "key")}}}
    },
    "ScaledObject": {
        "scaleTargetRef": {"properties": {"name": {"type": "string"}}, "required": ["name"]},
        "minReplicaCount": {"type": "integer"},
        "maxReplicaCount": {"type": "integer"},
        "pollingInterval": {"type": "integer"},
        "advanced": {
            "properties": {
                "horizontalPodAutoscalerConfig": {
                    "properties": {
                        "behavior": {
                            "properties": {"scaleDown": {"properties": {"stabilizationWindowSeconds": {"type": "integer"}}}}
                        }
                    }
                }
            }
        },
        "triggers": {
            "items": {
                "properties": {
                    "type": {"enum": ["rabbitmq", "redis"]},
                    "metadata": {"additionalProperties": {"type": "string"}},
                    "authenticationRef": {"properties": {"name": {"type": "string"}}, "required": ["name"]},
                },
                "required": ["type", "metadata"],
            }
        },
    },
}
"""The part of the schemas of keda.sh/v1alpha1 that the files use; no other field is allowed."""
REQUIRED = {
    "rabbitmq": {"protocol", "queueName", "mode", "value"},
    "redis": {"address", "listName", "listLength", "enableTLS"},
}


def closed(schema: Any) -> Any:
    """The schema, in which no object has further fields."""
    if isinstance(schema, dict):
        more = {"additionalProperties": False, "type": "object"} if "properties" in schema else {}
        return {key: closed(value) for key, value in schema.items()} | more
    return schema


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["rabbitmq", "redis"])
def test_the_number_of_workers_follows_the_queue_of_their_location(name: str) -> None:
    from jsonschema import validate

    from runner.dispatch.broker.application import Names
    from runner.settings.settings import Settings

    authentication, *scaled = yaml.safe_load_all(text(f"keda-{name}.yaml"))
    for one in (authentication, *scaled):
        assert one["apiVersion"] == "keda.sh/v1alpha1"
        validate(one["spec"], closed({"properties": KEDA[one["kind"]]}))
    names = Names(Settings().queue_prefix)
    assert len(scaled) == len(LOCATIONS)
    for one, (location, worker) in zip(scaled, workers().items(), strict=True):
        (trigger,) = one["spec"]["triggers"]
        assert one["spec"]["scaleTargetRef"]["name"] == worker["metadata"]["name"]
        assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
        assert trigger["metadata"].keys() == REQUIRED[trigger["type"]]
        assert names.runs(location) in trigger["metadata"].values()
        assert one["spec"]["minReplicaCount"] >= 1, "a location without a worker counts as down"
