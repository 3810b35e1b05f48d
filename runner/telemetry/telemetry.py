"""Everything that is sent after a run through queues on the disk, as the settings say; nothing of it is imported otherwise."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from runner.archive.run_id import run_id
from runner.codec import encode
from runner.errors import ConfigError
from runner.events import Moment, RunEnded
from runner.installation import install_command
from runner.settings.parsers.telemetry import Histograms
from runner.settings.settings import Settings
from runner.telemetry.counted_sending import CountedSending
from runner.telemetry.counters import list_places
from runner.telemetry.disk_queue import DiskQueue
from runner.telemetry.queued_items import JourneyGone, RunToSend, Source
from runner.telemetry.sender import Sender
from runner.telemetry.series import Series

FOLDER = ".telemetry"
ASSUMED = "-assumed"
"""After the id of a run that was given up: its own result, which may come later, is sent as well, and after this."""
log = logging.getLogger("journey.telemetry")


class Telemetry:
    """Sends runs that have ended to every receiver that is set. Raises ConfigError when a package for that is missing.

    Runs of tests (`journey smoke`, pytest) are spans only, and sent at the end: metrics are about what is watched around the clock.
    """

    def __init__(self, settings: Settings, source: Source) -> None:
        self._settings = settings
        self._source: Source = source
        tests = source in {"smoke", "pytest"}
        self._held = tests
        self._closing: list[Callable[[], None]] = []
        self._senders: list[Sender] = []
        self._counted: dict[str, Sender] = {}
        """Those that send samples, by the names of their folders."""
        if settings.otlp_endpoint is not None:
            self._add_spans(settings)
        if settings.otlp_metrics_endpoint is not None and not tests:
            self._add_metrics(settings)
        if settings.remote_write is not None and not tests:
            self._add_remote_write(settings)

    def _add_spans(self, settings: Settings) -> None:
        try:
            with _otlp_problems(settings, "otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", "spans"):
                from runner.telemetry.otlp.span_exporter import OtlpExporter

                exporter = OtlpExporter(settings)
        except _NotInstalled:
            return
        self._closing.append(exporter.close)
        self._add("otlp", exporter.send)

    def _add_metrics(self, settings: Settings) -> None:
        try:
            with _otlp_problems(settings, "otlp_metrics_endpoint", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "metrics"):
                from runner.telemetry.otlp.metrics_exporter import MetricsExporter

                exporter = MetricsExporter(settings)
        except _NotInstalled:
            return
        self._closing.append(exporter.close)
        self._add_counted("otlp-metrics", settings, "native", exporter.post)

    def _add_remote_write(self, settings: Settings) -> None:
        try:
            from runner.telemetry.remote_write.writer import RemoteWriter

            writer = RemoteWriter(settings)
        except ModuleNotFoundError as error:
            hint = install_command("remote-write")
            raise ConfigError(f"remote_write: {error.name} is missing; install it with: {hint}") from error
        except OSError as error:
            raise ConfigError(f"remote_write_ca_file: cannot be read: {error}") from error
        self._add_counted("remote-write", settings, settings.remote_write_histograms, writer.post)

    def _add_counted(self, name: str, settings: Settings, histograms: Histograms, post: Callable[[list[Series]], None]) -> None:
        sending = CountedSending(settings, self._folder(name), histograms, post)
        self._counted[name] = self._add(name, sending.send, in_order=True)

    def _folder(self, name: str) -> Path:
        return self._settings.runs_dir.resolve() / FOLDER / name

    def _add(self, name: str, send: Callable[[str, bytes], None], in_order: bool = False) -> Sender:
        queue = DiskQueue(self._folder(name), self._settings.telemetry_queue_size)
        sender = Sender(name, queue, send, in_order, self._held)
        self._senders.append(sender)
        return sender

    @property
    def waiting(self) -> int:
        """The number of runs that are not sent yet, counted once for each receiver."""
        return sum(one.waiting for one in self._senders)

    def __call__(self, moment: Moment) -> None:
        """Handles a run that has ended."""
        if not isinstance(moment, RunEnded) or moment.result.status in {"cancelled", "skipped"}:
            return
        item = encode(RunToSend(result=moment.result, source=self._source))
        # Metrics are about the schedule, as those that the scheduler serves.
        requested = moment.result.trigger not in {"", "schedule"}
        for one in self._senders:
            if requested and one in self._counted.values():
                continue
            one.put(f"{moment.result.id}{ASSUMED}" if moment.result.assumed else moment.result.id, item)

    def forget(self, journey: str) -> None:
        """Ends the series of a journey that is no longer on the schedule."""
        for name in self._counted:
            self._end_series(name, journey)

    def keep(self, journeys: Collection[str]) -> None:
        """Ends the series of journeys that left the schedule while nobody was there to notice."""
        for name in self._counted:
            for journey, location in list_places(self._folder(name)):
                if location == self._settings.location and journey not in journeys:
                    self._end_series(name, journey)

    def _end_series(self, name: str, journey: str) -> None:
        gone = JourneyGone(journey=journey, location=self._settings.location, at=datetime.now(UTC))
        self._counted[name].put(run_id(), encode(gone))

    def stop(self, timeout: float) -> int:
        """Sends what waits, for at most `timeout` seconds; returns how many runs a receiver has left on the disk for the next process."""
        end = monotonic() + timeout
        left = max((one.stop(max(end - monotonic(), 0.0)) for one in self._senders), default=0)
        for close in self._closing:
            close()
        return left


class _NotInstalled(Exception):
    """A package is missing that only a variable of OpenTelemetry asks for: a warning was given."""


@contextmanager
def _otlp_problems(settings: Settings, setting: str, variable: str, what: str) -> Iterator[None]:
    """Names the setting, and the fix, when an exporter cannot be created."""
    try:
        yield
    except ModuleNotFoundError as error:
        hint = f"{error.name} is missing; install it with: {install_command('otel')}"
        if settings.origin(setting) != "default":
            raise ConfigError(f"{setting}: {hint}") from error
        log.warning("%s is set, but no %s are sent: %s", variable, what, hint)
        raise _NotInstalled from error
    except OSError as error:
        raise ConfigError(f"otlp_ca_file: cannot be read: {error}") from error
