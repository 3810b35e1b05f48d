"""From a recorded session to a journey.

The actions are told from the noise (`reduction`), each page is rebuilt as it was and Playwright asked for the locator of what was
acted on (`rebuilding`), the journey is written (`writing`), and run three times (`trial`).
"""

from pathlib import Path

from reports.codegen.actions import reduce_to_actions
from reports.codegen.rebuild_page import rebuild_pages
from reports.codegen.result import Acted, Made, Report, Trial
from reports.codegen.verify import journey_file, verify_journey
from reports.codegen.write_journey import write_journey
from reports.replay.recording import Recording
from runner.browser.chromium import Browser, find
from runner.settings.settings import Settings

__all__ = ["Acted", "Made", "Report", "Trial", "make", "untried"]


def make_untried(recording: Recording, browser: Browser, name: str | None = None, rules: tuple[str, ...] = ()) -> Made:
    """Makes a journey of a session and runs it nowhere. Takes some seconds; must not be called where an asyncio loop runs.

    Raises RecordingError for a recording that no journey can be made of, and BrowserFailed.
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
    """Makes a journey of a session; writes no file.

    It is tried, unless `try_it` is false, on the base URL of the settings or the site that was recorded, with the settings' params;
    `yes` allows actions that may not be undone. What stands in the way of that is the trial's message. `rules` are the app's route
    templates. Takes some seconds, and three runs; it must not be called where an asyncio loop runs.

    Raises RecordingError for a recording that no journey can be made of, BrowserNotFound and BrowserFailed.
    """
    made = make_untried(recording, find(settings.browser_path), name, rules)
    if not try_it:
        return made
    return verify_journey(made, file or journey_file(made.report.name, settings.journeys), settings, yes)
