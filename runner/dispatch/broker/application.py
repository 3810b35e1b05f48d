"""The Celery application that uses the broker, and the queues in it. Celery is imported in functions only."""

from typing import TYPE_CHECKING, Any

from runner.dispatch.broker.address import BrokerAddress
from runner.errors import ConfigError
from runner.installation import install_command
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Exchange, Queue

TASK = "journey.run"
VISIBILITY = 12 * 3600
"""Seconds after which Redis delivers a message again that was not acknowledged: longer than any run. A scheduler notices much sooner that a
worker is lost, by its heartbeats, and ends the run itself."""
RESULT_VISIBILITY = 60
"""The same for results, which their scheduler may have been killed with before it had stored them: then another one gets them. A result that
waits for longer, as the database is away, comes again, and counts once."""
HEARTBEAT = 20
"""Seconds between heartbeats on connections to RabbitMQ, which takes a client that misses two for lost, and delivers its runs again."""
CONNECT = 5.0
"""Seconds in which a connection has to be made."""


class Names:
    """The names of the queues and exchanges of one monitor; several can share a broker with different prefixes."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.results = f"{prefix}-results"
        """The queue of results; every scheduler reads it."""
        self.news = f"{prefix}-news"
        """The exchange of what is of interest only now: to whoever listens, and not kept."""
        self.control = f"{prefix}-control"

    def runs(self, location: str) -> str:
        """The queue of the runs of a location."""
        return f"{self.prefix}.{location}"


def make_app(settings: Settings) -> "Celery":
    """The application, whose tasks have no result of Celery's own. Raises ConfigError without a broker, or without Celery."""
    address = BrokerAddress(settings)
    try:
        from celery import Celery

        if address.is_redis:
            import redis  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(f"dispatch: {error.name} is missing; install it with: {install_command('celery')}") from error
    names = Names(settings.queue_prefix)
    app = Celery("journey", broker=address.url, set_as_current=False, fixups=[])
    app.conf.update(
        accept_content=["json"],
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=CONNECT,
        broker_heartbeat=HEARTBEAT,
        broker_transport_options=_transport_options(address),
        broker_use_ssl=address.tls,
        control_exchange=names.control,
        enable_utc=True,
        event_exchange=f"{names.prefix}-events",
        task_acks_late=True,
        task_default_queue=f"{names.prefix}-unused",
        task_ignore_result=True,
        task_publish_retry=False,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
    )
    return app


def _transport_options(address: BrokerAddress) -> dict[str, Any]:
    if address.is_redis:
        return {
            "visibility_timeout": VISIBILITY,
            "socket_connect_timeout": CONNECT,
            "socket_keepalive": True,
            "health_check_interval": 10,
        }
    # A message counts as sent when the broker has it on its disk.
    return {"confirm_publish": True, "connect_timeout": CONNECT}


def result_options(settings: Settings) -> dict[str, Any]:
    """What a connection that takes in results has in addition."""
    if not BrokerAddress(settings).is_redis:
        return {}
    # Kept apart from what workers have not acknowledged, which is delivered again much later.
    kept = f"{settings.queue_prefix}-results-unacked"
    return {
        "visibility_timeout": RESULT_VISIBILITY,
        "unacked_key": kept,
        "unacked_index_key": f"{kept}-index",
        "unacked_mutex_key": f"{kept}-mutex",
    }


def results_queue(names: Names) -> "Queue":
    """The durable queue of results."""
    from kombu import Exchange, Queue

    return Queue(names.results, Exchange(names.results, type="direct", durable=True), routing_key=names.results, durable=True)


def runs_queue(names: Names, location: str) -> "Queue":
    """The durable queue of the runs of a location."""
    from kombu import Exchange, Queue

    name = names.runs(location)
    return Queue(name, Exchange(name, type="direct", durable=True), routing_key=name, durable=True)


def news_exchange(names: Names) -> "Exchange":
    """The exchange of what is not kept."""
    from kombu import Exchange

    return Exchange(names.news, type="fanout", durable=False, auto_delete=False, delivery_mode="transient")
