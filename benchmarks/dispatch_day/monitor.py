"""All parts of a monitor with three locations, each a real one that can be killed, and started again with what it had."""

import json
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.dispatch_day.journeys import LOCATIONS, WORKER, write_journeys
from runner.demo import running_shop
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from runner.store import Store
from tests.faults.postgresql import Cluster
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon
from tests.support.services.journey_worker import JourneyWorker
from tests.support.services.storage_server import StorageServer


class Alerts:
    """Takes the messages of alerts, as a chat would."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        alerts = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                alerts.titles.append(body["title"])
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"json://127.0.0.1:{self._server.server_port}/alert"

    def close(self) -> None:
        """Takes no more."""
        self._server.shutdown()
        self._server.server_close()


class Monitor:
    """A scheduler, a broker, a database, a storage, and `workers` at each location, in a folder that everybody may enter."""

    def __init__(
        self, folder: Path, stack: ExitStack, kind: Kind, database: str, journeys: int, every: str, workers: int
    ) -> None:
        self.folder = folder
        self.journeys = journeys
        self.witness, self.noted = folder / "walked", folder / "noted"
        (folder / "broker").mkdir()
        self.broker = Broker(kind, folder / "broker" / "data")
        stack.callback(self.broker.kill)
        self.broker.start()
        self.storage = StorageServer()
        stack.callback(self.storage.close)
        self.alerts = Alerts()
        stack.callback(self.alerts.close)
        self.cluster: Cluster | None = None
        if database == "postgresql":
            self.cluster = Cluster(folder / "postgresql")
            self.cluster.create()
            stack.callback(self._end_cluster, self.cluster)
            self.cluster.start()
        (folder / "scheduler").mkdir()
        with Store(f"sqlite:///{folder}/empty.db"):
            self.scheduler = Daemon(folder / "scheduler", stack.enter_context(running_shop()), folder / "empty.db")
        stack.callback(self._end_all)
        self.url = self.cluster.url("postgres") if self.cluster else f"sqlite:///{folder}/scheduler/runs/journeys.db"
        names = [f"{place}-{number}" for place in LOCATIONS for number in range(workers)]
        self.workers = [JourneyWorker(folder / name, self.broker, name.rpartition("-")[0]) for name in names]
        (self.scheduler.folder / "journeys").mkdir()
        (self.scheduler.folder / "journeys" / "day.py").write_text(write_journeys(journeys, every, self.witness))
        (self.scheduler.folder / "journey.toml").write_text(f"locations = {json.dumps(LOCATIONS)}\n")

    @property
    def environment(self) -> dict[str, str]:
        """What schedulers and workers share."""
        return {
            **self.storage.environment,
            "JOURNEY_ARTIFACTS_TIMEOUT": "10s",
            "JOURNEY_BUNDLE_KEY": "keyOfTheDay0123456789",
            "JOURNEY_BROKER": self.broker.url,
            "JOURNEY_BROKER_PASSWORD": self.broker.password,
            "JOURNEY_MAX_DELAY": "20s",
        }

    @property
    def settings(self) -> Settings:
        """The scheduler's, for what is asked about it."""
        return load_settings(self.scheduler.folder, {"runs_dir": self.scheduler.folder / "runs"}, self.environment)

    def start_scheduler(self) -> None:
        """Starts it; it may have to wait for the database or the broker."""
        more = {"JOURNEY_DISPATCH": "celery", "JOURNEY_DATABASE": self.url, "JOURNEY_ALERT_URLS": self.alerts.address}
        self.scheduler.start(ready=False, **self.environment, **more)

    def start_worker(self, worker: JourneyWorker) -> None:
        """Starts a worker, in the folder that it had."""
        hook = WORKER.format(file=str(self.noted), name=worker.folder.name)
        worker.start(before=hook, ready=False, JOURNEY_LOCATION=worker.location, **self.environment)

    def start_again(self, program: Daemon | JourneyWorker) -> None:
        """Starts a program that has ended."""
        if isinstance(program, JourneyWorker):
            self.start_worker(program)
        else:
            self.start_scheduler()

    def start(self) -> None:
        """Starts all workers and the scheduler."""
        for worker in self.workers:
            self.start_worker(worker)
        self.start_scheduler()

    @property
    def programs(self) -> list[Daemon | JourneyWorker]:
        """The scheduler and all workers."""
        return [self.scheduler, *self.workers]

    def _end_all(self) -> None:
        for one in self.programs:
            if one.process is not None and one.process.poll() is None:
                one.kill()

    @staticmethod
    def _end_cluster(cluster: Cluster) -> None:
        if cluster.runs:
            cluster.kill()
