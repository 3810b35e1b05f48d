"""What `mkdocs.yml` adds to docs/ for the site: pages and files of the project that documents link to, outside of docs/."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "reporting.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages of the project that are pages of the site."""
ICON = "reports/web/static/mark.svg"
LINK = re.compile(r"(?<=\]\()([^)#\s]+)(?=[)#])|(?<=src=\")([^\"]+)(?=\")|(?<=srcset=\")([^\"]+)(?=\")")


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Adds the pages, the icon, each other file that a document links to, and a list of files for each folder."""
    from mkdocs.structure.files import File, InclusionLevel

    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=place_links((ROOT / name).read_text(), ROOT)))
    files.append(File.generated(config, "images/mark.svg", abs_src_path=str(ROOT / ICON)))
    copied: set[str] = set()
    for file in sorted(find_linked_files()):
        if (ROOT / file).is_dir():
            # mkdocs.yml excludes Python: a link to it would lead nowhere.
            names = sorted(one.name for one in (ROOT / file).iterdir() if one.is_file() and one.suffix != ".py")
            lines = [f"# {file}", "", *(f"- [{name}]({name})" for name in names)]
            listed = File.generated(config, f"{_place(file)}/index.md", content="\n".join(lines))
            listed.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(listed)
            copied |= set() if file.startswith("docs/") else {f"{file}/{name}" for name in names}
        elif not file.startswith("docs/"):
            copied.add(file)
    for one in sorted(copied):
        files.append(File.generated(config, _place(one), abs_src_path=str(ROOT / one)))
    return files


def on_page_markdown(markdown: str, page: "Page", config: "MkDocsConfig", files: "Files") -> str:  # noqa: ARG001
    """Documents link to files as they are in the repository; so they work there too."""
    source = page.file.abs_src_path
    return place_links(markdown, Path(source).parent) if source else markdown


def find_linked_files() -> set[str]:
    """The folders, and the files outside of docs/, that documents link to, and that are not pages of the site."""
    found = set()
    for document in [*ROOT.glob("docs/**/*.md"), *(ROOT / name for name in PAGES)]:
        for match in LINK.finditer(document.read_text()):
            file = _resolve(match[0], document.parent)
            if file and file not in PAGES and (ROOT / file).exists():
                found.add(file)
    return found


def place_links(markdown: str, folder: Path) -> str:
    """Links of a document in a folder of the repository as links of the site."""
    depth = max(0, len(folder.relative_to(ROOT).parts) - 1)

    def place(match: re.Match[str]) -> str:
        file = _resolve(match[0], folder)
        if not file or not (ROOT / file).exists():
            return match[0]
        inside = PAGES.get(file) or _place(file)
        return "../" * depth + (f"{inside}/index.md" if (ROOT / file).is_dir() else inside)

    return LINK.sub(place, markdown)


def _place(file: str) -> str:
    return file.removeprefix("docs/") if file.startswith("docs/") else f"files/{file}"


def _resolve(link: str, folder: Path) -> str | None:
    """The file of the repository that a relative link means; None for any other link."""
    if re.match(r"[a-z][a-z0-9+.-]*:|/", link):
        return None
    file = (folder / link).resolve()
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) and file != ROOT else None
