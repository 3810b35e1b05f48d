"""The made-up week that `journey demo` puts before its own runs."""

from collections.abc import Callable, Sequence

from runner.archive.archive import Archive
from runner.cli import given
from runner.errors import JourneyError
from runner.result import RunResult
from runner.settings.settings import Settings

SampleWriter = Callable[[Sequence[RunResult]], str]
"""Writes a sample before some runs; returns what was done, as a sentence."""


def make_sample_writer(settings: Settings) -> SampleWriter:
    """Decides, before the first run of the demo is stored, whether there is room for a sample; the writer keeps to that."""
    from runner.store import Store

    try:
        if given.has_store(settings):
            with Store(settings.database_url) as store:
                if not store.samples.has_room():
                    return lambda _: "the database has runs already, so no sample week was added to it"
    except JourneyError as error:
        reason = str(error)
        return lambda _: f"no sample week was added: {reason}"
    return lambda results: _write(settings, results)


def _write(settings: Settings, results: Sequence[RunResult]) -> str:
    from reports.sample.history import write_sample
    from reports.source_maps.map_store import maps_folder
    from runner.store import Store

    try:
        with Store(settings.database_url) as store:
            size = write_sample(store, Archive(settings.runs_dir), results, maps_folder(settings))
    except (JourneyError, OSError) as error:
        return f"no sample week was added: {error}"
    return (
        f"a sample week was put before them: {size.runs} runs and {size.visits} visits, made up, and marked as a sample wherever "
        "they are shown"
    )
