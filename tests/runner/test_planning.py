"""Journeys read in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from runner.codec import encode
from runner.scheduler.loader import LoadRequest, load_in_subprocess
from runner.scheduler.watcher import fingerprint


def test_all_that_can_be_used_is_told_and_what_cannot(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "good.py").write_text("from runner import journey\nprint('loud')\n@journey(every='5m')\ndef good(page): ...\n")
    (folder / "bad.py").write_text("def (\n")
    planning = load_in_subprocess(LoadRequest(start=tmp_path))
    assert [one.plan.journey for one in planning.planned] == ["good"]
    assert [problem.file.name for problem in planning.problems] == ["bad.py"]


@pytest.mark.thorough
def test_names_are_selected_as_journey_run_selects_them(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    head = "from runner import journey\n"
    (folder / "shop.py").write_text(head + "@journey(tags=['shop'])\ndef stock(page): ...\n@journey()\ndef pay(page): ...\n")
    (folder / "blog.py").write_text(head + "@journey()\ndef read(page): ...\n")

    def asked(*wanted: str, tags: tuple[str, ...] = ()) -> tuple[list[str], tuple[str, ...]]:
        planning = load_in_subprocess(LoadRequest(start=tmp_path, wanted=wanted, tags=tags))
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


def test_a_name_is_not_unknown_while_a_broken_file_may_declare_it(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "bad.py").write_text("def (\n")
    (folder / "good.py").write_text("from runner import journey\n@journey(every='5m')\ndef good(page): ...\n")
    loaded = load_in_subprocess(LoadRequest(start=tmp_path, wanted=("good", "other")))
    assert [one.plan.journey for one in loaded.planned] == ["good"]
    assert ([problem.file.name for problem in loaded.problems], loaded.unknown) == (["bad.py"], ())


def test_of_two_journeys_with_one_name_the_second_file_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    for name in ("one.py", "two.py"):
        (folder / name).write_text("from runner import journey\n@journey(every='5m')\ndef good(page): ...\n")
    loaded = load_in_subprocess(LoadRequest(start=tmp_path))
    assert [one.plan.file.name for one in loaded.planned] == ["one.py"]
    (problem,) = loaded.problems
    assert (problem.file.name, "a journey named 'good' is declared in" in problem.message) == ("two.py", True)


def test_a_change_of_any_selected_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "journeys").mkdir()
    default, other = tmp_path / "journeys" / "shop.py", tmp_path / "other.py"
    for file in (default, other):
        file.write_text("")
    request = LoadRequest(start=tmp_path, wanted=("buy", f"{other}::look"))
    assert fingerprint(request).keys() == {default, other}


def test_when_who_asked_has_ended_nothing_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runner.scheduler.loader"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(encode(LoadRequest(start=tmp_path)))
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_two_journeys_of_one_name_in_one_file_are_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    declared = "@journey(name='buy', every='5m')\ndef {}(page): ...\n"
    (folder / "shop.py").write_text("from runner import journey\n" + declared.format("one") + declared.format("two"))
    loaded = load_in_subprocess(LoadRequest(start=tmp_path))
    assert loaded.planned == ()
    (problem,) = loaded.problems
    assert "a journey named 'buy' is declared in" in problem.message
