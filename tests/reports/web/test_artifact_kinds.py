"""A kind of artifact is added by one row: it is recorded, kept by its policy, listed and shown."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from runner.artifacts.recorder import Recorder
from runner.dsl.journey import Options
from runner.errors import ConfigError
from runner.settings.artifact_kinds import ARTIFACT_KINDS, ArtifactPolicies
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.support.services.dashboard import Visited

KIND = '''
"""The titles of the pages, as a kind of artifact."""

import msgspec

from runner.artifacts.recorder import Recorded, Recorder, newest_page
from runner.settings.artifact_kinds import ARTIFACT_KINDS, ArtifactKind


class TitleRecorder(Recorder):
    lines = ()

    def look(self, context, name, failed):
        self.lines = (*self.lines, {"step": name, "title": newest_page(context).title(), "failed": failed})

    def save(self):
        yield Recorded(b"".join(self.workspace.redact_json(msgspec.json.encode(line)) + b"\\n" for line in self.lines))


ARTIFACT_KINDS["titles"] = ArtifactKind(
    option="titles",
    name="title",
    policy="retain-on-failure",
    recorder="titles_kind:TitleRecorder",
    file="titles.jsonl",
    media_type="application/jsonl",
    order=0,
    title="Titles of the pages",
)
'''
JOURNEY = """
    import sys
    sys.path.insert(0, {folder!r})
    import titles_kind

    @journey(trace="off", screenshots="off", aria="off", replay="off"{more})
    def walk(page, step):
        with step("open"):
            page.goto("/")
        with step("look"):
            assert {holds}
"""


@pytest.fixture
def titles(tmp_path: Path) -> Iterator[str]:
    """The source of a journey that registers a kind of its own; it is no kind any more when the test has ended."""
    (tmp_path / "titles_kind.py").write_text(KIND)
    path = list(sys.path)
    yield JOURNEY.replace("{folder!r}", repr(str(tmp_path)))
    sys.path[:] = path
    ARTIFACT_KINDS.pop("titles", None)
    sys.modules.pop("titles_kind", None)


@pytest.mark.thorough
def test_a_kind_is_recorded_kept_listed_and_shown(monitor: Monitor, titles: str, dashboard: object, chrome: Browser) -> None:
    with Workers(1) as monitor.pool:
        passed = monitor.run(titles.format(holds=True, more=""))
        result = monitor.run(titles.format(holds=False, more=""))
        switched_off = monitor.run(titles.format(holds=False, more=', titles="off"'))
        set_otherwise = monitor.run(titles.format(holds=True, more=', titles="off"'), titles="on")
    assert (passed.artifacts, switched_off.artifacts) == ((), ())
    assert [(one.kind, one.path) for one in set_otherwise.artifacts] == [("title", "titles.jsonl")]
    assert [(one.kind, one.path) for one in result.artifacts] == [("title", "titles.jsonl")]
    folder = monitor.archive.find(result.id).folder
    lines = [msgspec.json.decode(line) for line in (folder / "titles.jsonl").read_bytes().splitlines()]
    assert [(line["step"], line["failed"]) for line in lines] == [("open", False), ("look", True)]

    served: Visited = dashboard()  # type: ignore[operator]
    served.store.add(result, folder)
    page = chrome.new_page()
    page.goto(f"{served.address}/runs/{result.id}")
    section = page.get_by_role("region", name="Titles of the pages")
    expect(section.get_by_role("listitem")).to_have_count(2)
    expect(section.get_by_role("listitem").last).to_contain_text(lines[1]["title"])
    link = page.get_by_role("link", name="titles.jsonl")
    with page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == (folder / "titles.jsonl").read_bytes()
    page.close()


def test_every_row_names_a_recorder_and_an_option_that_type_checkers_know() -> None:
    assert all(issubclass(kind.load_recorder(), Recorder) for kind in ARTIFACT_KINDS.values())
    assert list(get_type_hints(ArtifactPolicies)) == list(ARTIFACT_KINDS)
    assert len({kind.name for kind in ARTIFACT_KINDS.values()}) == len({kind.order for kind in ARTIFACT_KINDS.values()}) == 13
    assert not set(ARTIFACT_KINDS) & set(Options.__struct_fields__)


def test_a_kind_that_is_not_there_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="JOURNEY_TITLES is not a setting"):
        load_settings(tmp_path, {}, {"JOURNEY_TITLES": "on"})
