"""`expect_picture` in a journey as a user types it: stored, as expected, and different; secrets are covered."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.runner.cli.folder import Folder

LOOK = """
from runner import expect_picture, journey

@journey
def look(page, step, params, secrets):
    with step("open"):
        page.set_content(
            f"<body style='margin:0'><div id=box style='width:60px;height:40px;background:{params['colour']}'></div>"
            "<p id=clock></p><script>setInterval(() => clock.textContent = performance.now(), 20)</script>"
            f"<p id=secret style='position:absolute;top:200px;left:0;color:red'>{secrets['WORD'].reveal()}</p>"
        )
        expect_picture(page, ignore=[page.locator("#clock")], timeout=1)
        expect_picture(page.locator("#box"), name="box", timeout=1)
"""


@pytest.fixture
def folder(tmp_path: Path, shop: str, pool: Workers) -> Folder:
    found = Folder(tmp_path, shop, pool)
    found.environment |= {"JOURNEY_SECRETS_DIR": "secrets", "JOURNEY_TRACE": "off", "JOURNEY_REPLAY": "off"}
    found.write("secrets/WORD", "sesame-4711")
    found.write("journeys/look.py", LOOK)
    return found


def failed(folder: Folder) -> dict[str, Any]:
    """The run that a command has written to run.json."""
    (run,) = json.loads((folder.path / "run.json").read_text())["runs"]
    found: dict[str, Any] = run
    return found


@pytest.mark.long
def test_a_picture_is_stored_kept_and_missed(folder: Folder) -> None:
    first = folder.journey("run", "look", "--param", "colour=navy", "--json", "run.json")
    expected = folder.path / "journeys" / "pictures" / "look"
    message = failed(folder)["failure"]["message"]
    assert first.returncode == 3
    assert f"there is no picture {expected / 'open.png'} yet; if pictures/open-actual.png is as it should be" in message

    stored = folder.journey("run", "look", "--param", "colour=navy", "--update-pictures")
    assert (stored.returncode, {one.name for one in expected.iterdir()}) == (0, {"open.png", "box.png"}), stored.stdout
    with Image.open(expected / "open.png") as image:
        # The secret is covered, and nothing of it is red.
        assert image.convert("RGBA").getpixel((4, 208 + 10)) == (0x55, 0x55, 0x55, 255)
    with Image.open(expected / "box.png") as image:
        assert image.size == (60, 40)

    assert folder.journey("run", "look", "--param", "colour=navy").returncode == 0
    changed = folder.journey("run", "look", "--param", "colour=green", "--json", "run.json")
    assert changed.returncode == 1
    run = failed(folder)
    assert "of the picture differs, in 1 region\nexpected: " in run["failure"]["message"]
    assert (run["failure"]["kind"], run["failure"]["step"]) == ("assertion", "open")
    kept = {one["path"]: one for one in run["artifacts"] if one["kind"] == "picture"}
    assert set(kept) == {f"pictures/open-{one}.png" for one in ("expected", "actual", "difference")}
    with Image.open(io.BytesIO((Path(run["folder"]) / "pictures/open-actual.png").read_bytes())) as image:
        assert image.convert("RGB").getpixel((30, 20)) == (0, 128, 0)


@pytest.mark.thorough
@pytest.mark.parametrize("then", ["", "page.get_by_role('link').first.click()\nmark('after')\nexpect_picture(page, share=1)"])
def test_the_page_clock_ends_before_the_picture_that_stills_the_page(monitor: Monitor, tmp_path: Path, then: str) -> None:
    stored = tmp_path / "pictures" / "walk"
    stored.mkdir(parents=True)
    for name in ("measured.png", "measured-2.png"):
        Image.new("RGB", (1280, 720)).save(stored / name)
    marks = tmp_path / "marks"
    body = f"""
import time
from pathlib import Path
from runner import expect_picture
def mark(_): Path({str(marks)!r}).write_text(str(time.time()))
page.goto('/')
mark('before')
expect_picture(page, share=1)
{then}
"""
    step = monitor.step(body)
    assert (step.status, step.clock) == ("passed", "page")
    assert step.started_at is not None
    assert step.latency_seconds is not None
    ended = step.started_at.timestamp() + step.cause_at_seconds + step.latency_seconds
    # Stamps of the page are rounded to milliseconds.
    assert ended <= float(marks.read_text()) + 0.002
