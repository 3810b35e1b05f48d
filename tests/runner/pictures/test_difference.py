"""What is said of pictures whose pixels are known."""

import io
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from runner.artifacts.expected_picture import _update
from runner.errors import JourneyError
from runner.pictures.difference import BLOCK, find_difference
from runner.pictures.picture import Picture, Pixels, UnreadablePicture, decode_picture, encode_png, stack_pictures
from runner.pictures.region import Region


def page(width: int = 200, height: int = 120) -> Pixels:
    return np.full((height, width, 3), 255, np.uint8)


def png(pixels: Pixels) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def with_box(x: int, y: int, side: int, colour: int = 0) -> Pixels:
    pixels = page()
    pixels[y : y + side, x : x + side] = colour
    return pixels


def test_the_same_page_has_no_difference() -> None:
    side = stack_pictures([png(with_box(20, 20, 10))] * 3)
    found = find_difference(side, side)
    assert (found.regions, found.share, found.masked_share, side.count) == ((), 0.0, 0.0, 3)


def test_a_difference_is_a_region_with_its_place_and_its_share_of_the_page() -> None:
    found = find_difference(stack_pictures([png(page())] * 2), stack_pictures([png(with_box(40, 60, 12))] * 2))
    assert found.regions == (Region(x=40, y=60, width=12, height=12, pixels=144),)
    assert found.share == pytest.approx(144 / (200 * 120))


def test_differences_that_are_apart_are_several_regions_the_largest_first() -> None:
    other = with_box(10, 10, 5)
    other[80:100, 150:180] = 0
    found = find_difference(Picture(page(), np.zeros((120, 200), bool)), decode_picture(png(other)))
    assert [(one.x, one.y, one.pixels) for one in found.regions] == [(150, 80, 600), (10, 10, 25)]


def test_what_varies_on_one_side_is_not_compared_nor_is_what_is_close_to_it() -> None:
    varying = stack_pictures([png(with_box(40, 40, 16)), png(page())])
    other = stack_pictures([png(with_box(46, 46, 14, 200))] * 2)
    found = find_difference(other, varying)
    assert (found.count, int(np.count_nonzero(found.masked))) == (0, (16 + 2 * BLOCK) ** 2)
    assert find_difference(varying, other).count == 0
    far = stack_pictures([png(with_box(120, 40, 14, 200))] * 2)
    assert [one.x for one in find_difference(far, varying).regions] == [120]


@pytest.mark.parametrize(("colour", "count"), [(255 - 3, 0), (255 - 8, 1)])
def test_a_colour_that_nobody_tells_from_another_is_the_same(colour: int, count: int) -> None:
    assert find_difference(decode_picture(png(page())), decode_picture(png(with_box(20, 20, 20, colour)))).count == count


def test_noise_of_drawing_is_not_variation() -> None:
    assert not stack_pictures([png(page()), png(with_box(10, 10, 50, 253))]).varies.any()


def test_a_longer_page_differs_below_the_other() -> None:
    found = find_difference(decode_picture(png(page(200, 120))), decode_picture(png(page(200, 160))))
    assert [(one.y, one.height) for one in found.regions] == [(120, 40)]


def test_a_length_that_varies_on_one_side_is_not_compared() -> None:
    side = stack_pictures([png(page(200, 120)), png(page(200, 160))])
    assert side.size == (200, 160)
    assert find_difference(decode_picture(png(page(200, 120))), side).count == 0


def test_fewer_pixels_than_anybody_sees_are_no_difference() -> None:
    found = find_difference(decode_picture(png(page())), decode_picture(png(with_box(100, 100, 1))))
    assert (found.count, found.share) == (0, 0.0)


def test_a_file_is_transparent_where_the_pictures_vary_and_keeps_that() -> None:
    side = stack_pictures([png(with_box(40, 40, 10)), png(page())])
    again = decode_picture(side.encode(), count=2)
    assert (again.varies == side.varies).all()
    assert (again.pixels == side.pixels).all()
    with Image.open(io.BytesIO(side.encode())) as image:
        assert (image.getpixel((45, 45)), image.getpixel((5, 5))) == ((0, 0, 0, 0), (255, 255, 255, 255))


def test_what_is_not_a_picture_is_said_so() -> None:
    with pytest.raises(UnreadablePicture, match="it is not a picture"):
        decode_picture(b"<html>")
    header = b"\x89PNG\r\n\x1a\n"
    short = b"\0\0\0\5IHDR" + b"\0" * 5
    texts = b"zTXt" + b"a\0\0" + zlib.compress(b"x" * 10_000_000)
    for damaged in (
        header + short + zlib.crc32(short[4:]).to_bytes(4, "big"),
        header + (len(texts) - 4).to_bytes(4, "big") + texts + zlib.crc32(texts).to_bytes(4, "big"),
    ):
        with pytest.raises(UnreadablePicture, match="it is not a picture"):
            decode_picture(damaged)
    with pytest.raises(UnreadablePicture, match="there is no picture"):
        stack_pictures([])


def test_a_picture_that_cannot_be_stored_is_named(tmp_path: Path) -> None:
    look: Any = SimpleNamespace(take=lambda: encode_png(Image.fromarray(page())), wait=lambda _: None)
    (tmp_path / "home.png").mkdir()
    with pytest.raises(JourneyError, match=r"the picture .*home\.png cannot be stored: Is a directory"):
        _update(look, tmp_path / "home.png")
