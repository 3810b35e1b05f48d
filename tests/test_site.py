"""The documentation as a site: every page is in its navigation, every link leads somewhere, and nothing is loaded from elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href|srcset)=\"(?:https?:)?//[^\"]*\"")


def in_navigation(entries: list[Any]) -> Iterator[str]:
    """The pages of a part of `nav`."""
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            if isinstance(value, list):
                yield from in_navigation(value)
            else:
                yield value


def test_the_navigation_lists_every_document_once() -> None:
    listed = list(in_navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    docs = ROOT / "docs"
    written = {str(one.relative_to(docs)) for one in docs.rglob("*.md")}
    # Made of README, SECURITY, CONTRIBUTING and CHANGELOG.
    assert sorted(listed) == sorted(written | {"index.md", "reporting.md", "contributing.md", "changelog.md"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.thorough
def test_the_site_is_built_without_a_broken_link_and_can_be_searched(site: Path) -> None:
    assert "Pushgateway" in (site / "index.html").read_text()
    assert "traceparent" in (site / "search" / "search_index.json").read_text()


@pytest.mark.thorough
def test_no_page_of_the_site_loads_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    assert {one.name: LOADED.findall(one.read_text()) for one in pages if LOADED.findall(one.read_text())} == {}
    styles = "".join(one.read_text() for one in site.rglob("*.css"))
    assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", styles)


@pytest.mark.long
def test_files_outside_of_the_documents_are_there_too(site: Path) -> None:
    assert (site / "files" / "reports" / "prometheus" / "alerts.yml").is_file()
    assert 'href="compose.yaml"' in (site / "deploy" / "index.html").read_text()
