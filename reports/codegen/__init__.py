"""From a recorded session to a journey.

The events are reduced to actions (`actions`), each page is rebuilt and Playwright asked for the locator of each element
(`rebuild_page`), the journey is written (`write_journey`), and run three times (`verify`).
"""

from pathlib import Path

from reports.codegen.actions import reduce_to_actions
from reports.codegen.rebuild_page import rebuild_pages
from reports.codegen.result import Acted, Made, Report, Trial
from reports.codegen.verify import journey_file, verify_journey
from reports.codegen.write_journey import write_journey
from reports.collector.admission.app_registry import AppRegistry
from reports.replay.page_origin import find_foreign_page
from reports.replay.recording import Recording, list_addresses
from runner.browser.chromium import Browser, find
from runner.errors import RecordingError
from runner.settings.sections.apps import App
from runner.settings.settings import Settings
from runner.untrusted_text import tamed

__all__ = ["Acted", "Made", "Report", "Trial", "make", "untried"]


def check_origins(recording: Recording, apps: tuple[App, ...]) -> None:
    """Raises RecordingError for a recording with a page that is not one of the app's; without configured apps, of another machine."""
    foreign = find_foreign_page(list_addresses(recording), AppRegistry(apps).origins_of(recording.app))
    if foreign:
        raise RecordingError(
            f"session {recording.session}: it claims a page at {tamed(foreign, 200)}, which is not at an origin of app "
            f"{recording.app!r}; if it is, add it to the app's origins in [[apps]]"
        )


def make_untried(recording: Recording, browser: Browser, name: str | None = None, rules: tuple[str, ...] = ()) -> Made:
    """Creates a journey from a session without running it. Takes a few seconds; must not be called where an asyncio loop runs.

    Raises RecordingError for a recording that cannot become a journey, and BrowserFailed.
    """
    actions = reduce_to_actions(recording)
    return write_journey(recording, actions, rebuild_pages(recording, actions, browser), name, rules)


def make_journey(
    recording: Recording,
    settings: Settings,
    *,
    name: str | None = None,
    file: Path | None = None,
    try_it: bool = True,
    yes: bool = False,
    rules: tuple[str, ...] = (),
) -> Made:
    """Creates a journey from a session; writes no file.

    It is tried, unless `try_it` is false, on the base URL of the settings or the site that was recorded, with the settings' params;
    `yes` allows irreversible actions. If it cannot be tried, the trial's message says why. `rules` are the app's route
    templates. Takes a few seconds, and three runs; it must not be called where an asyncio loop runs.

    Raises RecordingError for a recording that cannot become a journey, BrowserNotFound and BrowserFailed.
    """
    made = make_untried(recording, find(settings.browser_path), name, rules)
    if not try_it:
        return made
    return verify_journey(made, file or journey_file(made.report.name, settings.journeys), settings, yes)
