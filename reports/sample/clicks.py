"""What the made-up visitors click on: elements of the demo's shop, named as the agent names them."""

from random import Random

from reports.collector.beacon import Interaction

_MAIN = "html>body>main"
BUTTONS = {
    "/product": Interaction(
        type="click", role="button", name="Add to cart", element=f"{_MAIN}>article.product>div>form>button.main"
    ),
    "/cart": Interaction(type="click", role="link", name="Check out", element=f"{_MAIN}>p>a.button.main"),
    "/login": Interaction(
        type="click", role="button", name="Sign in", element=f"{_MAIN}>div.sheet.narrow>form.fields>button.main"
    ),
    "/checkout": Interaction(type="click", role="button", name="Continue to payment", element="#view>form.fields>button.main"),
}
"""What is pressed on pages whose path begins so."""
SEARCH = Interaction(type="click", role="button", name="Search", element="html>body>header.top>div.bar>form.find>button")
"""What is pressed on the home page."""
PICTURE = Interaction(type="click", role="img", element=f"{_MAIN}>article.product>div.picture>svg.drawing")
"""Some visitors expect that the picture of a product can be enlarged."""
CURIOUS = 0.12
"""The share of views of products in which it is clicked."""


def make_sample_clicks(dice: Random, path: str, stay: float, impatient: bool) -> tuple[Interaction, ...]:
    """The clicks of one page view of `stay` seconds, in order. Impatient visitors press the same button again and again.

    A dead click is reported beside the click that it is about, as the agent does it.
    """
    button = SEARCH if path == "/" else next((one for start, one in BUTTONS.items() if path.startswith(start)), None)
    if button is None:
        return ()
    pressed = [button] * (dice.choice((0, 1, 1, 2)) + (4 if impatient else 0))
    if path.startswith("/product") and dice.random() < CURIOUS:
        pressed.insert(0, PICTURE)
    made = []
    for place, one in enumerate(pressed):
        at = round(min(stay, 2.0 + 0.2 * place), 2)
        made.append(_at(one, at))
        if one is PICTURE:
            made.append(Interaction(type="dead-click", at_seconds=at, role=one.role, element=one.element))
    return tuple(made)


def _at(one: Interaction, seconds: float) -> Interaction:
    return Interaction(type=one.type, at_seconds=seconds, role=one.role, name=one.name, element=one.element)
