"""How steps look: decided of pictures whose pixels are known."""

import io
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw

from reports.smoke import baseline, verdict
from reports.smoke.baseline_pictures import accept_pictures, save_with_pictures
from reports.smoke.check import Check
from reports.smoke.picture_file import NoPictures, read_pictures
from reports.smoke.pictures import compare_pictures
from reports.smoke.question import Question
from reports.smoke.result import PictureCheck, SmokeResult
from reports.text.headline import format_headline
from runner.archive.run_id import run_id
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.result import Artifact
from runner.settings.sections.budgets import parse_budgets
from tests.reports.smoke.measured import CANDIDATE, NOW, QUICK, REFERENCE, journeys, run

Drawn = Callable[[str, str, int], bytes]
"""The picture of a side (an address), a step, and a run of this side."""


def draw(*boxes: tuple[int, int, str], size: tuple[int, int] = (160, 120)) -> bytes:
    image = Image.new("RGB", size, "white")
    for x, y, colour in boxes:
        ImageDraw.Draw(image).rectangle((x, y, x + 19, y + 19), fill=colour)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def walks(folder: Path, drawn: Drawn) -> Callable[[Plan], RunEnded]:
    """Runs whose steps all take as long, with a picture of each if the plan asks for it."""
    counts: dict[str, Iterator[int]] = {CANDIDATE: count(), REFERENCE: count()}

    def made(of: Plan) -> RunEnded:
        site = of.base_url or CANDIDATE
        number = next(counts[site])
        ended = run(of, {"open": 1.0 + number / 1e6, "pay": 1.0 + number / 1e6})
        if of.artifact_policies["pictures"] != "on":
            return ended
        place = folder / ended.result.id
        place.mkdir()
        artifacts = []
        for step in ("open", "pay"):
            (place / f"{step}.png").write_bytes(drawn(site, step, number))
            artifacts.append(Artifact(kind="picture", path=f"{step}.png", bytes=1, step=step))
        return RunEnded(result=replace(ended.result, artifacts=tuple(artifacts)), folder=place)

    return made


def check(folder: Path, drawn: Drawn, **question: Any) -> SmokeResult:
    asked = Question(**{"warm_up": 0, "rule": QUICK, "base_url": CANDIDATE, "pictures": 5, **question})
    begun = Check(asked, journeys(folder, "buy"))
    begun.measure(walks(folder, drawn), lambda _: None)
    file = folder / f"{run_id()}.pictures.zip"
    assert compare_pictures(begun, file) == ""
    return verdict.result(begun, run_id(), NOW, pictures=file)


def pictures(result: SmokeResult) -> dict[str, PictureCheck]:
    return {step.name: step.picture for step in result.journeys[0].steps if step.picture is not None}


def outcomes(result: SmokeResult) -> dict[str, str]:
    return {name: one.outcome for name, one in pictures(result).items()}


def same(_: str, __: str, ___: int) -> bytes:
    return draw((10, 10, "navy"))


def otherwise(site: str, step: str, _: int) -> bytes:
    """On the candidate, the step `pay` has another box."""
    return draw((10, 10, "navy"), (100, 80, "red")) if (site, step) == (CANDIDATE, "pay") else draw((10, 10, "navy"))


def test_two_builds_that_look_the_same_pass(tmp_path: Path) -> None:
    result = check(tmp_path, same, against=REFERENCE)
    assert (result.verdict, outcomes(result)) == ("passed", {"open": "same", "pay": "same"})
    assert format_headline(result).endswith(f"more than 10 % slower than {REFERENCE}, and all look the same")
    assert pictures(result)["pay"].pictures == (5, 5)


def test_a_step_that_looks_different_is_missed_with_its_region_and_what_a_report_shows(tmp_path: Path) -> None:
    result = check(tmp_path, otherwise, against=REFERENCE)
    assert (result.verdict, outcomes(result)) == ("missed", {"open": "same", "pay": "different"})
    assert format_headline(result) == (
        f"missed: buy, step “pay”: looks different from {REFERENCE}: 2.1 % of it in 1 region (5 and 5 pictures), 1 of 1 journey"
    )
    pay = pictures(result)["pay"]
    assert [(one.x, one.y, one.width, one.height) for one in pay.regions] == [(100, 80, 20, 20)]
    shown = read_pictures(Path(result.pictures), pay.files)
    assert set(shown) == {"candidate", "before", "after", "difference", "where"}
    with Image.open(io.BytesIO(shown["after"])) as image:
        assert (image.size, image.convert("RGB").getpixel((110, 90))) == ((160, 120), (255, 0, 0))


def test_what_varies_between_runs_of_one_build_is_no_difference(tmp_path: Path) -> None:
    def clock(_: str, __: str, number: int) -> bytes:
        return draw((10, 10, "navy"), (100, 80, ("red", "green", "blue")[number % 3]))

    result = check(tmp_path, clock, against=REFERENCE)
    assert (result.verdict, outcomes(result)) == ("passed", {"open": "same", "pay": "same"})
    assert 0 < pictures(result)["pay"].masked < 0.2


@pytest.mark.parametrize("fail", [False, True])
def test_too_few_pictures_are_undecided(tmp_path: Path, fail: bool) -> None:
    result = check(tmp_path, otherwise, against=REFERENCE, pictures=3, fail_undecided=fail)
    assert outcomes(result) == {"open": "same", "pay": "undecided"}
    assert pictures(result)["pay"].reason == "3 and 3 pictures are too few to tell it from chance"
    assert result.verdict == ("missed" if fail else "passed")
    assert "before" in pictures(result)["pay"].files


def test_a_page_that_varies_as_a_whole_is_undecided(tmp_path: Path) -> None:
    def film(_: str, __: str, number: int) -> bytes:
        return draw(*((x, y, ("black", "gray")[number % 2]) for x in range(0, 160, 20) for y in range(0, 120, 20)))

    result = check(tmp_path, film, against=REFERENCE)
    assert set(outcomes(result).values()) == {"undecided"}
    assert "most of the page varies" in pictures(result)["pay"].reason


@pytest.mark.parametrize(("bound", "said"), [("5%", "passed"), ("1%", "missed")])
def test_a_budget_says_how_much_may_differ(tmp_path: Path, bound: str, said: str) -> None:
    budgets = parse_budgets({"buy/*": {"picture": bound}})
    result = check(tmp_path, otherwise, against=REFERENCE, budgets=budgets)
    assert (result.verdict, outcomes(result)["pay"]) == (said, "different")
    if said == "missed":
        assert format_headline(result).startswith("missed: buy, step “pay”: median picture of 2.1 % is over the budget of 1 %")


@pytest.mark.long
def test_only_the_first_rounds_are_pictured_and_no_side_is_first_in_all_of_them(tmp_path: Path) -> None:
    asked: list[tuple[str | None, bool]] = []
    inner = walks(tmp_path, same)

    def noted(of: Plan) -> RunEnded:
        asked.append((of.base_url, of.artifact_policies["pictures"] == "on"))
        return inner(of)

    for seed in range(8):
        asked.clear()
        question = Question(warm_up=1, rule=QUICK, base_url=CANDIDATE, pictures=2, against=REFERENCE, seed=seed)
        Check(question, journeys(tmp_path, "buy")).measure(noted, lambda _: None)
        assert [pictured for _, pictured in asked] == [False] * 2 + [True] * 4 + [False] * 6
        assert {asked[2][0], asked[4][0]} == {CANDIDATE, REFERENCE}


@pytest.mark.long
def test_a_baseline_keeps_pictures_and_a_change_is_accepted(tmp_path: Path) -> None:
    first = check(tmp_path, same, runs=5)
    assert (first.verdict, outcomes(first)) == ("passed", {"open": "not compared", "pay": "not compared"})
    file = tmp_path / "release.json"
    save_with_pictures(first, file)

    def compared(drawn: Drawn) -> SmokeResult:
        saved = baseline.read(file, "release")
        return check(tmp_path, drawn, saved=saved, saved_pictures=baseline.pictures_beside(file))

    assert outcomes(compared(same)) == {"open": "same", "pay": "same"}
    changed = compared(otherwise)
    assert (changed.verdict, outcomes(changed)) == ("missed", {"open": "same", "pay": "different"})
    assert accept_pictures(changed, file, lambda _, step: step == "pay") == [("buy", "pay")]
    assert outcomes(compared(otherwise)) == {"open": "same", "pay": "same"}
    assert outcomes(compared(same)) == {"open": "same", "pay": "different"}


def test_a_baseline_without_pictures_is_not_compared(tmp_path: Path) -> None:
    file = tmp_path / "release.json"
    baseline.save(baseline.of(check(tmp_path, same, runs=5, fail_undecided=True)), file)
    result = check(tmp_path, otherwise, saved=baseline.read(file, "release"), fail_undecided=True)
    assert (result.verdict, set(outcomes(result).values())) == ("passed", {"not compared"})
    assert pictures(result)["pay"].reason == "no pictures of the baseline: it was saved without"


def test_pictures_that_are_gone_are_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(NoPictures, match="does not exist any more"):
        read_pictures(tmp_path / "x.zip", {"it": "x"})
    (tmp_path / "x.zip").write_bytes(b"x")
    with pytest.raises(NoPictures, match="cannot be read"):
        read_pictures(tmp_path / "x.zip", {"it": "x"})


def test_pictures_that_cannot_be_written_are_undecided(tmp_path: Path) -> None:
    begun = Check(Question(warm_up=0, rule=QUICK, base_url=CANDIDATE, pictures=1, runs=1), journeys(tmp_path, "buy"))
    begun.measure(walks(tmp_path, same), lambda _: None)
    problem = compare_pictures(begun, tmp_path / "nowhere" / "x.pictures.zip")
    assert problem.startswith(
        f"--pictures {tmp_path / 'nowhere' / 'x.pictures.zip'}: cannot be written: No such file or directory"
    )
    assert outcomes(verdict.result(begun, run_id(), NOW)) == {"open": "undecided", "pay": "undecided"}
