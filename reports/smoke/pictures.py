"""How steps look: the pictures of a check's runs, compared with those of the baseline's."""

from collections.abc import Iterator, Sequence
from math import comb
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reports.smoke.baseline import BaselinePicture
from reports.smoke.check import Check
from reports.smoke.measurement import Measurement
from reports.smoke.picture_file import NoPictures, PictureFile, read_pictures
from reports.smoke.picture_views import make_views
from reports.smoke.result import PictureCheck
from runner.errors import ConfigError
from runner.events import RunEnded
from runner.pictures.difference import Difference, find_difference
from runner.pictures.picture import Picture, UnreadablePicture, decode_picture, stack_pictures

ALARM = 0.01
"""The largest probability that one thing on a page which varies is called different, while it varies alike on both sides."""
MOST_MASKED = 0.5
"""Of a page that varies by more, too little is compared to call it the same."""
KIND = "picture"


def compare_pictures(check: Check, file: Path) -> str:
    """Compares the pictures of all steps, and writes what reports show of them to `file`.

    Returns why they could not be written, empty if they could; then nothing is decided of them, and the check goes on.
    """
    pictured = [one for one in check.measurements if not (one.bad or one.bad_baseline or one.plan.kind == "check")]
    try:
        with PictureFile(file, "--pictures") as written:
            for number, one in enumerate(pictured, 1):
                for index, step in enumerate(one.steps, 1):
                    one.pictures[step] = _compare_step(one, step, check, written, f"{number}/{index}")
    except ConfigError as error:
        for one in pictured:
            one.pictures |= dict.fromkeys(one.steps, PictureCheck(outcome="undecided", reason="it could not be written"))
        return str(error)
    return ""


def _compare_step(one: Measurement, step: str, check: Check, written: PictureFile, folder: str) -> PictureCheck:
    limit = check.question.pictures
    try:
        after: Picture | None = stack_pictures(_read(one.candidate[:limit], step))
    except (UnreadablePicture, OSError) as error:
        return PictureCheck(outcome="undecided", reason=f"no pictures of the candidate: {error}")
    assert after is not None
    files = {"candidate": written.add(f"{folder}/candidate.png", after.encode())}
    before: Picture | None = None
    reason = ""
    if one.compared:
        try:
            before = _read_baseline(one, step, check)
        except (UnreadablePicture, NoPictures, OSError) as error:
            reason = f"no pictures of the baseline: {error}"
    if before is None:
        return PictureCheck(
            outcome="not compared",
            reason=reason or "there is no baseline",
            files=files,
            candidate_size=after.size,
            pictures=(0, after.count),
        )
    judged, difference = judge(before, after)
    if judged.outcome != "same":
        views = make_views(before, after, difference)
        files |= {name: written.add(f"{folder}/{name}.webp", content) for name, content in views.items()}
    return replace(judged, files=files)


def judge(before: Picture, after: Picture) -> tuple[PictureCheck, Difference]:
    """Compares what several pictures of each side have in common.

    Something that varies alike on both sides looks different if it happened to be one way in all pictures of one side, and another
    way in all of the other. Of all ways to deal the pictures to the sides, at most two are so.
    """
    found = find_difference(before, after)
    chance = 2 / comb(before.count + after.count, after.count)
    facts: dict[str, Any] = {
        "share": found.share,
        "masked": found.masked_share,
        "regions": found.regions,
        "region_count": found.count,
        "pictures": (before.count, after.count),
        "baseline_size": before.size,
        "candidate_size": after.size,
    }
    if found.regions and chance > ALARM:
        reason = f"{before.count} and {after.count} pictures are too few to tell it from chance"
        return PictureCheck(outcome="undecided", reason=reason, **facts), found
    if found.regions:
        return PictureCheck(outcome="different", **facts), found
    if found.masked_share > MOST_MASKED:
        reason = "most of the page varies from run to run"
        return PictureCheck(outcome="undecided", reason=reason, **facts), found
    return PictureCheck(outcome="same", **facts), found


def _read(runs: Sequence[RunEnded], step: str) -> Iterator[bytes]:
    """The pictures of a step, one of each run that has it."""
    for ended in runs:
        paths = [one.path for one in ended.result.artifacts if one.kind == KIND and one.step == step]
        if ended.folder is not None and paths:
            yield (ended.folder / paths[-1]).read_bytes()


def _read_baseline(one: Measurement, step: str, check: Check) -> Picture:
    if one.reference is not None:
        return stack_pictures(_read(one.baseline[: check.question.pictures], step))
    known: BaselinePicture | None = one.saved.pictures.get(step) if one.saved else None
    if known is None or check.question.saved_pictures is None:
        raise NoPictures("it was saved without")
    return decode_picture(read_pictures(check.question.saved_pictures, {"it": known.file})["it"], known.count)
