"""Every block of README.md and docs/ that is not a command is what it claims to be: settings load, journeys are found, queries run.

`tests/test_command_blocks.py` types the commands.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from runner.dsl.discovery import load_journeys
from runner.settings.load_settings import load_settings
from runner.store import Store
from tests.support.doc_reader import ROOT, pages
from tests.support.services.databases import copied

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
TYPED = {"sh", "console"}
SHOWN = {
    "docs/architecture.md": "a picture",
    "docs/timing.md": "pictures",
    "docs/collector.md": "what a command prints; headers of a site's answer",
    "docs/dashboard.md": "an alert's text",
    "docs/dashboard-access.md": "a file of Caddy, which is not installed",
    "docs/many-collectors.md": "a file of HAProxy, which is not installed",
    "docs/objectives.md": "what a command prints",
    "docs/opentelemetry.md": "pictures of spans",
    "docs/scale.md": "a picture",
    "docs/replay.md": "a request with what stands for its values",
}
"""Why blocks without a language are not tried, by page."""
AGENT = ROOT / "runner" / "page" / "agent" / "src"


def blocks(*languages: str) -> list[tuple[str, str]]:
    """The blocks in these languages, with their pages."""
    return [
        (str(page.relative_to(ROOT)), text)
        for page in pages()
        for language, text in BLOCK.findall(page.read_text())
        if language in languages
    ]


def names(found: list[tuple[str, str]]) -> list[str]:
    return [f"{page}-{number}" for number, (page, _) in enumerate(found)]


def test_every_block_is_in_a_language_that_is_tried_or_has_a_reason() -> None:
    languages = {language for page in pages() for language, _ in BLOCK.findall(page.read_text())}
    # nginx is configured by its own program, which is not installed.
    assert languages - TYPED == {"", "toml", "python", "yaml", "sql", "js", "html", "nginx"}
    assert {page for page, _ in blocks("")} == set(SHOWN)


@pytest.mark.parametrize(("page", "text"), blocks("toml"), ids=names(blocks("toml")))
def test_settings_can_be_pasted(page: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / ("pyproject.toml" if "[tool.journey" in text else "journey.toml")
    file.write_text(text)
    settings = load_settings(tmp_path, {}, {})
    assert settings != load_settings(tmp_path.parent, {}, {})


@pytest.mark.parametrize(("page", "text"), blocks("python"), ids=names(blocks("python")))
def test_code_can_be_pasted(page: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    imports = "from runner import Page, Step, expect, journey\n"
    if "@journey" in text:
        file.write_text(imports + text)
        assert len(load_journeys(file)) == text.count("@journey") + text.count("@check")
        return
    if not text.startswith("def "):
        text = "@journey\ndef walk(page, step):\n" + "".join(f"    {line}\n" for line in text.splitlines())
        file.write_text(imports + text)
        (journey,) = load_journeys(file)
        assert len(journey.step_names) == text.count("with step(")
        return
    compile(text, page, "exec")


@pytest.mark.parametrize(("page", "text"), blocks("yaml"), ids=names(blocks("yaml")))
def test_yaml_can_be_pasted(page: str, text: str) -> None:
    assert isinstance(yaml.safe_load(text), dict)


@pytest.mark.parametrize(("page", "text"), blocks("sql"), ids=names(blocks("sql")))
def test_queries_run_on_the_store(page: str, text: str, empty: Path, tmp_path: Path) -> None:
    with Store(copied(empty, tmp_path)) as store, store.connected() as connection:
        assert len(connection.exec_driver_sql(text).all()) == 1


@pytest.mark.parametrize(("page", "text"), blocks("js"), ids=names(blocks("js")))
def test_scripts_are_javascript(page: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "block.js"
    file.write_text(text)
    node = Path(sys.modules["playwright"].__path__[0]) / "driver" / "node"
    subprocess.run([node, "--check", file], check=True)


@pytest.mark.parametrize(("page", "text"), blocks("html"), ids=names(blocks("html")))
def test_lines_for_pages_have_only_attributes_that_the_agent_reads(page: str, text: str) -> None:
    read = "".join(file.read_text() for file in AGENT.rglob("*.js"))
    for attribute in re.findall(r"\bdata-([\w-]+)", text):
        words = attribute.split("-")
        assert words[0] + "".join(word.title() for word in words[1:]) in read, attribute
