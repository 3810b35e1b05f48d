"""TLS to brokers, which ask for a certificate: real ones, an authority of their own, and what is said when it is another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.dispatch.broker.address import BrokerAddress
from runner.dispatch.broker.application import make_app
from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from tests.runner.dispatch.dispatching import check_ledger, start_dispatching
from tests.support.certificates import make_certificate, make_chain
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon, tick
from tests.support.services.journey_worker import JourneyWorker


def settings(folder: Path, url: str, **more: Path) -> Settings:
    return load_settings(folder, {"broker": url, **more}, {"JOURNEY_BROKER_PASSWORD": "guest"})


def complaint(found: Settings) -> str:
    """What is logged when nothing can be sent."""
    try:
        with make_app(found).connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=20)
            connection.default_channel.close()
    except Exception as error:  # noqa: BLE001 (each client library raises its own)
        return BrokerAddress(found).describe(error)
    return ""


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
def test_runs_travel_over_tls_and_what_is_wrong_is_said_with_its_setting(
    daemon: Daemon,
    new_broker: Callable[..., Broker],
    new_worker: Callable[..., JourneyWorker],
    tmp_path_factory: pytest.TempPathFactory,
    kind: Kind,
) -> None:
    folder = tmp_path_factory.mktemp("certificates")
    chain = make_chain(folder)
    broker = new_broker(kind, chain)
    own = {"broker_client_certificate": chain.certificate.file, "broker_client_key": chain.certificate.key}
    other = make_certificate(folder / "other").file
    assert complaint(settings(folder, broker.url, broker_ca_file=other, **own)).endswith(
        "set broker_ca_file to the authority of its certificate (PEM)"
    )
    refused = complaint(settings(folder, broker.url, broker_ca_file=chain.authority))
    # RabbitMQ may end the connection before its reason has come.
    assert ("set broker_client_certificate" if kind == "redis" else "cannot be used") in refused
    variables = {"JOURNEY_BROKER_CA_FILE": str(chain.authority)}
    variables |= {f"JOURNEY_{name.upper()}": str(file) for name, file in own.items()}
    daemon.write(tick("24h"))
    worker = new_worker(broker)
    worker.start(**variables)  # type: ignore[arg-type]  # they are variables
    start_dispatching(daemon, broker, **variables)
    daemon.wait_for_runs(1, status="passed")
    assert daemon.stop() == 0
    check_ledger(daemon)


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_files_that_cannot_be_used_are_named_with_their_setting(tmp_path: Path, scheme: str) -> None:
    chain, nonsense = make_chain(tmp_path), tmp_path / "nonsense"
    nonsense.write_text("no certificate")
    for values, said in (
        ({"broker_ca_file": tmp_path / "missing"}, "broker_ca_file: "),
        ({"broker_ca_file": nonsense}, "broker_ca_file: "),
        ({"broker_client_certificate": chain.certificate.file}, "broker_client_certificate: "),
        ({"broker_client_key": chain.certificate.key}, "broker_client_key: there is no certificate"),
    ):
        with pytest.raises(ConfigError, match=f"^{said}"):
            make_app(settings(tmp_path, f"{scheme}://broker.example", **values))
