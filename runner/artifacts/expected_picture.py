"""`expect_picture`: a page or an element must look as a stored picture shows it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from playwright.sync_api import Locator, Page

from runner.accessibility import AuditScope
from runner.artifacts.page_picture import Framing, take_picture
from runner.artifacts.policy import slug
from runner.errors import JourneyError
from runner.pictures.requirements import require_packages
from runner.redaction import Redactor
from runner.settings.parsers.pictures import parse_share

TIMEOUT = 5.0
"""Seconds in which a page has to come to look as expected."""
PAUSE = 100
"""Milliseconds between two looks."""
UPDATES = 3
"""Pictures that a stored one is made of, which show what varies."""
BETWEEN = 350
"""Milliseconds between them."""


class PictureDiffers(AssertionError):
    """A page does not look as expected. Says by how much, and where the pictures are."""


class PictureStore(Struct, frozen=True, kw_only=True):
    """Where the pictures of one run are."""

    folder: Path
    """Of the expected ones."""
    keep: Callable[[str, bytes, str], str]
    """Keeps a picture of the run under a name, for a step; returns where it is."""
    note: Callable[[float, float], None]
    """Hears from when to when a page was pictured, in seconds since the epoch."""
    step: Callable[[], str | None]
    """The step that is under way."""
    redactor: Redactor
    framing: Framing
    scope: AuditScope = AuditScope()
    """What `expect_accessible` checks."""
    update: bool = False
    """Whether pictures are stored instead of compared."""
    names: set[str]
    """Those that this run has used."""


_open: list[PictureStore] = []


@contextmanager
def use_pictures(store: PictureStore) -> Iterator[None]:
    """`expect_picture` uses this store until the block ends."""
    _open.append(store)
    try:
        yield
    finally:
        _open.remove(store)


def expect_picture(
    target: Page | Locator,
    *,
    name: str | None = None,
    share: float | str = 0.0,
    ignore: Sequence[Locator] = (),
    full_page: bool | None = None,
    timeout: float = TIMEOUT,
) -> None:
    """Waits until a page or an element looks as the stored picture shows it; with `--update-pictures`, stores one.

    `name` is that of the picture (default: the step's name), `share` the part of it that may differ, `ignore` what is covered, `timeout`
    in seconds. Raises PictureDiffers, JourneyError outside of a step, and for a picture that is not stored yet.
    """
    store, step = find_store("expect_picture")
    require_packages("expect_picture")
    allowed = parse_share(share)
    stem = _find_name(store, slug(name or step))
    area = store.framing.area if full_page is None else "page" if full_page else "viewport"
    framing = Framing(area=area, ignore=store.framing.ignore)
    file = store.folder / f"{stem}.png"
    began = time.time()
    try:
        if store.update:
            _update(_Look(target, store, framing, ignore), file)
        else:
            _compare(_Look(target, store, framing, ignore), file, stem, step, allowed, timeout)
    finally:
        store.note(began, time.time())


class _Look(Struct, frozen=True):
    """How to take one picture."""

    target: Page | Locator
    store: PictureStore
    framing: Framing
    ignore: Sequence[Locator]

    def take(self) -> bytes:
        return take_picture(self.target, self.store.redactor, self.framing, self.ignore)

    def wait(self, milliseconds: float) -> None:
        page = self.target if isinstance(self.target, Page) else self.target.page
        page.wait_for_timeout(milliseconds)


def current_store() -> PictureStore | None:
    """The store of the run or test that is under way."""
    return _open[-1] if _open else None


def find_store(function: str) -> tuple[PictureStore, str]:
    """The store of the run, and the step that is under way. Raises JourneyError where there is none, for the `function` that was called."""
    step = _open[-1].step() if _open else None
    if step is None:
        raise JourneyError(
            f"{function} is called outside of a step; write it under `with step(…):` of a journey, or of a test that has the "
            "fixture `step`"
        )
    return _open[-1], step


def _find_name(store: PictureStore, stem: str) -> str:
    """The name, with a number where this run has used it."""
    found = next(one for one in (stem, *(f"{stem}-{n}" for n in range(2, len(store.names) + 3))) if one not in store.names)
    store.names.add(found)
    return found


def _update(look: _Look, file: Path) -> None:
    from runner.pictures.picture import stack_pictures

    taken = []
    for number in range(UPDATES):
        if number:
            look.wait(BETWEEN)
        taken.append(look.take())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(stack_pictures(taken).encode())
    except OSError as error:
        raise JourneyError(
            f"the picture {file} cannot be stored: {error.strerror}; check what is there, and its owner"
        ) from error


def _compare(look: _Look, file: Path, stem: str, step: str, allowed: float, timeout: float) -> None:
    from runner.pictures.difference import find_difference
    from runner.pictures.marked import mark_difference
    from runner.pictures.picture import UnreadablePicture, decode_picture, encode_png, read_picture

    ends = time.monotonic() + timeout
    actual = look.take()
    keep = look.store.keep
    try:
        expected = read_picture(file)
    except FileNotFoundError:
        where = keep(f"{stem}-actual.png", actual, step)
        raise JourneyError(
            f"there is no picture {file} yet; if {where} is as it should be, store it with --update-pictures"
        ) from None
    except (OSError, UnreadablePicture) as error:
        raise JourneyError(f"the picture {file} cannot be read: {error}; store it again with --update-pictures") from error
    while True:
        after = decode_picture(actual)
        found = find_difference(expected, after)
        if found.share <= allowed:
            return
        if time.monotonic() >= ends:
            break
        look.wait(PAUSE)
        actual = look.take()
    paths = [
        keep(f"{stem}-{kind}.png", content, step)
        for kind, content in (
            ("expected", file.read_bytes()),
            ("actual", actual),
            ("difference", encode_png(mark_difference(after, found))),
        )
    ]
    size = (
        "" if expected.size == after.size else "; it has {} × {} pixels instead of {} × {}".format(*after.size, *expected.size)
    )
    raise PictureDiffers(
        f"{_percent(found.share)} of the picture differs, in {found.count} {'region' if found.count == 1 else 'regions'}{size}\n"
        f"expected: {file}\n"
        + "".join(f"{kind}: {path}\n" for kind, path in zip(("its copy", "actual", "difference"), paths, strict=True))
        + "if it is as it should be, store it with --update-pictures"
    )


def _percent(share: float) -> str:
    return "under 0.01 %" if share < 0.0001 else f"{100 * share:.3g} %"
