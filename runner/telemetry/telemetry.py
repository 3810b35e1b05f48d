"""Everything that is sent after a run through queues on the disk, as the settings say; nothing of it is imported otherwise."""

import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from runner.archive.run_id import run_id
from runner.codec import encode
from runner.errors import ConfigError
from runner.events import Moment, RunEnded
from runner.installation import install_command
from runner.settings.settings import Settings
from runner.telemetry.counted_sending import CountedSending
from runner.telemetry.counters import COUNTERS, read_counters
from runner.telemetry.disk_queue import DiskQueue
from runner.telemetry.queued_items import JourneyGone, RunToSend
from runner.telemetry.sender import Sender

FOLDER = ".telemetry"
log = logging.getLogger("journey.telemetry")


class Telemetry:
    """Sends runs that have ended to every receiver that is set. Raises ConfigError when a package for that is missing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closing: list[Callable[[], None]] = []
        self._senders: list[Sender] = []
        self._spans: Sender | None = None
        self._samples: Sender | None = None
        if settings.otlp_endpoint is not None:
            self._add_otlp(settings)
        if settings.remote_write is not None:
            self._add_remote_write(settings)

    def _add_otlp(self, settings: Settings) -> None:
        try:
            from runner.telemetry.otlp.span_exporter import OtlpExporter

            exporter = OtlpExporter(settings)
        except ModuleNotFoundError as error:
            hint = f"{error.name} is missing; install it with: {install_command('otel')}"
            if settings.origin("otlp_endpoint") != "default":
                raise ConfigError(f"otlp_endpoint: {hint}") from error
            log.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but no spans are sent: %s", hint)
            return
        except OSError as error:
            raise ConfigError(f"otlp_ca_file: cannot be read: {error}") from error
        self._closing.append(exporter.close)
        self._spans = self._add("otlp", exporter.send)

    def _add_remote_write(self, settings: Settings) -> None:
        try:
            from runner.telemetry.remote_write.writer import RemoteWriter

            writer = RemoteWriter(settings)
        except ModuleNotFoundError as error:
            hint = install_command("remote-write")
            raise ConfigError(f"remote_write: {error.name} is missing; install it with: {hint}") from error
        except OSError as error:
            raise ConfigError(f"remote_write_ca_file: cannot be read: {error}") from error
        histograms = settings.remote_write_histograms
        sending = CountedSending(settings, self._folder("remote-write"), histograms, writer.post)
        self._samples = self._add("remote-write", sending.send, in_order=True)

    def _folder(self, name: str) -> Path:
        return self._settings.runs_dir.resolve() / FOLDER / name

    def _add(self, name: str, send: Callable[[str, bytes], None], in_order: bool = False) -> Sender:
        sender = Sender(name, DiskQueue(self._folder(name), self._settings.telemetry_queue_size), send, in_order)
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
        result = moment.result
        if self._spans is not None:
            self._spans.put(result.id, encode(result))
        if self._samples is not None:
            self._samples.put(result.id, encode(RunToSend(result=result)))

    def forget(self, journey: str) -> None:
        """Ends the series of a journey that is no longer on the schedule."""
        if self._samples is not None:
            gone = JourneyGone(journey=journey, location=self._settings.location, at=datetime.now(UTC))
            self._samples.put(run_id(), encode(gone))

    def keep(self, journeys: Collection[str]) -> None:
        """Ends the series of journeys that left the schedule while nobody was there to notice."""
        if self._samples is not None:
            sent = read_counters(self._folder("remote-write") / COUNTERS)
            for name, _, location in (place.partition(" ") for place in sent.gauges):
                if location == self._settings.location and name not in journeys:
                    self.forget(name)

    def stop(self, timeout: float) -> int:
        """Sends what waits, for at most `timeout` seconds; returns how many runs a receiver has left on the disk for the next process."""
        end = monotonic() + timeout
        left = max((one.stop(max(end - monotonic(), 0.0)) for one in self._senders), default=0)
        for close in self._closing:
            close()
        return left
