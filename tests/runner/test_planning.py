"""Journeys read in a process of their own."""

import subprocess
import sys
from pathlib import Path

from runner.codec import encode
from runner.scheduler.loader import Request, ask


def test_all_that_can_be_used_is_told_and_what_cannot(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "good.py").write_text("from runner import journey\nprint('loud')\n@journey(every='5m')\ndef good(page): ...\n")
    (folder / "bad.py").write_text("def (\n")
    planning = ask(Request(start=tmp_path))
    assert [one.plan.journey for one in planning.planned] == ["good"]
    assert [problem.file.name for problem in planning.problems] == ["bad.py"]


def test_names_are_selected_as_journey_run_selects_them(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    head = "from runner import journey\n"
    (folder / "shop.py").write_text(head + "@journey(tags=['shop'])\ndef stock(page): ...\n@journey()\ndef pay(page): ...\n")
    (folder / "blog.py").write_text(head + "@journey()\ndef read(page): ...\n")

    def asked(*wanted: str, tags: tuple[str, ...] = ()) -> tuple[list[str], tuple[str, ...]]:
        planning = ask(Request(start=tmp_path, wanted=wanted, tags=tags))
        assert not planning.problems
        return sorted(one.plan.journey for one in planning.planned), planning.unknown

    shop = str(folder / "shop.py")
    assert asked(f"{shop}::stock") == (["stock"], ())
    assert asked(shop, "read") == (["pay", "read", "stock"], ())
    assert asked("st*") == (["stock"], ())
    assert asked("stokc") == ([], ("no journey is named 'stokc'; did you mean 'stock'?",))
    assert asked(f"{shop}::read") == ([], ("no journey is named 'read'; there are: stock, pay",))
    assert asked(tags=("shop",)) == (["stock"], ())
    assert asked(tags=("news",)) == ([], ("no journey has the tag 'news'; there are: shop",))


def test_when_who_asked_has_ended_nothing_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runner.scheduler.loader"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(encode(Request(start=tmp_path)))
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0
