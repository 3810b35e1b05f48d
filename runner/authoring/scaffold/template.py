"""Package files with gaps: filled in, and recognised again."""

import re
from importlib.resources import files

_GAP = re.compile(r"<<(\w+)>>")


def fill(template: str, **values: str) -> str:
    """The text of a template with its gaps filled in."""
    return _GAP.sub(lambda gap: values[gap[1]], _read(template))


def is_made_from(template: str, text: str) -> bool:
    """Whether `text` is the template with anything in its gaps: as it was made, by whichever answers, and changed by nobody."""
    written = [re.escape(part) if index % 2 == 0 else ".*" for index, part in enumerate(_GAP.split(_read(template)))]
    return re.fullmatch("".join(written), text) is not None


def _read(template: str) -> str:
    return (files("runner.authoring.scaffold") / "templates" / template).read_text(encoding="utf-8")
