"""From what waits in a queue to series with counters that go on over restarts; how they are sent is up to the receiver."""

from collections.abc import Callable
from pathlib import Path

from runner.codec import decoder
from runner.settings.parsers.telemetry import Histograms
from runner.settings.settings import Settings
from runner.telemetry.counters import place_of, read_counters, split_old_file, write_counters
from runner.telemetry.queued_items import JourneyGone, RunToSend
from runner.telemetry.run_samples import end_journey, sample_run
from runner.telemetry.sender import NotSent
from runner.telemetry.series import Series


class CountedSending:
    """Sends one item at a time.

    The counters are written to disk when the receiver has taken a run, or has refused it for good: they stay true even if a sample is lost.
    """

    def __init__(self, settings: Settings, folder: Path, histograms: Histograms, post: Callable[[list[Series]], None]) -> None:
        """`folder` is that of the queue; `post` raises NotSent."""
        self._bounds = [one.under for one in settings.slo if one.under is not None]
        self._histograms: Histograms = histograms
        self._folder = folder
        self._post = post

    def send(self, key: str, content: bytes) -> None:
        """Sends what waits under a key. Raises NotSent, and msgspec.DecodeError for what cannot be read."""
        item: RunToSend | JourneyGone = decoder(RunToSend | JourneyGone).decode(content)
        split_old_file(self._folder)
        of = item.result if isinstance(item, RunToSend) else item
        place = place_of(of.journey, of.location)
        counters = read_counters(self._folder, place)
        if key in counters.counted:
            return
        if isinstance(item, RunToSend):
            series = sample_run(item.result, counters, self._bounds, self._histograms)
        else:
            series = end_journey(item.journey, item.location, item.at, counters)
        counters.note(key)
        try:
            self._post(series)
        except NotSent as error:
            if error.final:
                write_counters(self._folder, place, counters)
            raise
        write_counters(self._folder, place, counters)
