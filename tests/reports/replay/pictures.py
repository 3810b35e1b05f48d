"""Pictures of pages, compared by a browser."""

import base64

from playwright.sync_api import FloatRect, FrameLocator, Locator, Page, ViewportSize

FIELDS = "input:not([type=checkbox], [type=radio], [type=submit], [type=button]), textarea, select"
HIDDEN = f"{FIELDS}, img"
"""What a recording does not hold: what is typed or chosen, and pictures that are files of their own. A box takes their place."""
STYLE = """select { width: 7em !important; }
* { outline: none !important; transition: none !important; }
.replayer-mouse { display: none !important; } .stage { position: fixed; left: 0; top: 0; z-index: 9; }"""
"""A list whose choice was masked is as wide as the mask. A recording does not put the focus where it was, and shows the pointer; the
player may lie at half a pixel."""
BORDER = 1
"""Pixels around what the player shows."""
SHADE = 40
"""Of 255: letters at another fraction of a pixel are softened otherwise."""
COMPARE = """async ([one, other, shade]) => {
  const [first, second] = await Promise.all([one, other].map(async (text) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${text}`)).blob());
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    context.drawImage(picture, 0, 0);
    return context.getImageData(0, 0, picture.width, picture.height);
  }));
  if (first.width !== second.width || first.height !== second.height) return 1;
  let differing = 0;
  for (let i = 0; i < first.data.length; i += 4)
    if ([0, 1, 2].some((color) => Math.abs(first.data[i + color] - second.data[i + color]) > shade)) differing++;
  return differing / (first.width * first.height);
}"""


def hidden(shown: Page | FrameLocator) -> list[Locator]:
    """Those elements, also in the frames of the page."""
    frames = shown.locator("iframe").count()
    inside = [shown.frame_locator(f"iframe >> nth={number}").locator(HIDDEN) for number in range(frames)]
    return [shown.locator(HIDDEN), *inside]


def of_page(page: Page) -> bytes:
    """What is on the screen."""
    return page.screenshot(mask=hidden(page), style=STYLE, animations="disabled")


def of_player(player: Page, size: ViewportSize) -> bytes:
    """What the player shows of a recorded page of this size."""
    boxes = hidden(player.frame_locator(".stage iframe"))
    clip: FloatRect = {"x": BORDER, "y": BORDER, "width": size["width"], "height": size["height"]}
    return player.screenshot(mask=boxes, style=STYLE, animations="disabled", clip=clip)


class Comparison:
    """A page in which pictures are compared."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def differing(self, one: bytes, other: bytes) -> float:
        """The share of pixels that are not the same, from 0 to 1; 1 for pictures of different sizes."""
        texts = [base64.b64encode(picture).decode() for picture in (one, other)]
        share: float = self._page.evaluate(COMPARE, [*texts, SHADE])
        return share
