"""docs/getting-started.md; `tests/test_command_blocks.py` types its commands."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "getting-started.md").read_text()


def test_the_journey_on_the_page_is_the_one_that_is_made() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    made = (ROOT / "runner" / "authoring" / "scaffold" / "templates" / "journey.py.txt").read_text()
    lines = made.replace("<<option>>", "").replace("<<function>>", "home").splitlines()
    assert [line for line in shown.splitlines() if line not in lines] == []


def test_it_can_be_read_in_ten_minutes() -> None:
    assert len(TEXT.splitlines()) < 120
