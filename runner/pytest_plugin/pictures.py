"""`expect_picture` in tests: where their pictures are."""

from pathlib import Path

import pytest

from runner.artifacts.expected_picture import PictureStore
from runner.artifacts.page_picture import Framing
from runner.artifacts.policy import slug
from runner.pytest_plugin.item_run import ItemRun


def make_store(item: pytest.Item, run: ItemRun) -> PictureStore:
    """The store of one test or journey: expected pictures beside its file, those of a failure in the folder of `--output`."""
    settings = run.project.settings
    output = Path(item.config.getoption("output")).absolute() / slug(item.nodeid) / "pictures"

    def keep(name: str, content: bytes, _: str) -> str:
        output.mkdir(parents=True, exist_ok=True)
        (output / name).write_bytes(content)
        return str(output / name)

    def note(started: float, ended: float) -> None:
        if run.journey_call is not None:
            run.journey_call.steps.note_picture(started, ended)

    return PictureStore(
        folder=item.path.parent / settings.picture_folder / slug(run.name),
        keep=keep,
        note=note,
        step=lambda: run.journey_call.steps.running if run.journey_call else None,
        redactor=run.project.redactor,
        framing=Framing(area=settings.picture_area, ignore=settings.picture_ignore),
        scope=settings.audit_scope,
        update=item.config.getoption("update_pictures"),
        names=set(),
    )
