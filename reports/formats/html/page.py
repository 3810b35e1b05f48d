"""A page that is one file: its style inside, nothing loaded from elsewhere, and nothing in it that could run."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup

from reports.templates import make_environment
from reports.text.accessibility import describe_accessibility, describe_accessibility_rule
from reports.text.table_labels import label_cells


def render_template(template: str, **values: object) -> bytes:
    """The page that the template makes of the values; every text in them is escaped."""
    return label_cells(_environment().get_template(template).render(**values)).encode(errors="replace")


def preload_templates(*templates: str) -> None:
    """Reads templates ahead of the first page."""
    for one in templates:
        _environment().get_template(one)


def format_link(file: Path, beside: Path | None) -> str:
    """The address of a file in a page that lies in the folder `beside`; None for a page that may lie anywhere."""
    if beside is None:
        return f"file://{quote(str(file.absolute()), errors='replace')}"
    # Without `./` a name such as `a:b` would be read as a scheme.
    return f"./{quote(relpath(file.absolute(), beside.absolute()), errors='replace')}"


@cache
def _environment() -> Environment:
    environment = make_environment("reports.formats.html", ".")
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    environment.globals.update(
        describe_accessibility=describe_accessibility,
        describe_accessibility_rule=describe_accessibility_rule,
    )
    environment.globals["style"] = Markup(style)  # noqa: S704 (our own file)
    # The one style sheet that the page allows; so not even a style that got into it could hide anything.
    environment.globals["style_hash"] = f"sha256-{b64encode(sha256(style.encode()).digest()).decode()}"
    return environment
