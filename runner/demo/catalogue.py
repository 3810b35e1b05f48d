"""What the shop sells."""

from msgspec import Struct


class Product(Struct, frozen=True):
    """A product; `price` is in euro cents, `colour` tints its drawing."""

    slug: str
    name: str
    kind: str
    price: int
    origin: str
    text: str
    colour: str
    stock: int

    @property
    def euros(self) -> str:
        """The price as it is written."""
        return f"€{self.price / 100:.2f}"


PRODUCTS = (
    Product(
        "sencha",
        "Sencha",
        "green tea",
        1250,
        "Shizuoka, Japan",
        "Steamed leaves, bright and grassy, with a clean finish.",
        "#7a9e4b",
        41,
    ),
    Product(
        "genmaicha",
        "Genmaicha",
        "green tea",
        980,
        "Kyoto, Japan",
        "Green tea with roasted rice: warm, nutty, easy all day.",
        "#a8a04e",
        27,
    ),
    Product(
        "oolong",
        "Tieguanyin Oolong",
        "oolong tea",
        1690,
        "Anxi, China",
        "Half-oxidised and floral, opening over many infusions.",
        "#5f8a6a",
        18,
    ),
    Product(
        "darjeeling",
        "Darjeeling First Flush",
        "black tea",
        1540,
        "Darjeeling, India",
        "The spring harvest: muscatel, light, a little dry.",
        "#c08a3e",
        33,
    ),
    Product(
        "lapsang",
        "Lapsang Souchong",
        "black tea",
        1320,
        "Wuyi, China",
        "Dried over pinewood; smoke first, then honey.",
        "#8a4f3a",
        12,
    ),
    Product(
        "rooibos",
        "Rooibos",
        "herbal tea",
        760,
        "Cederberg, South Africa",
        "Red, round and naturally free of caffeine.",
        "#b5482f",
        60,
    ),
    Product(
        "mint",
        "Garden Mint",
        "herbal tea",
        640,
        "Alsace, France",
        "Peppermint and spearmint, cut the week they were picked.",
        "#4f9c7d",
        52,
    ),
    Product(
        "kettle",
        "Gooseneck Kettle",
        "teaware",
        5900,
        "Tsubame, Japan",
        "Brushed steel, 0.9 litres, pours as slowly as you like.",
        "#8895a3",
        7,
    ),
    Product(
        "teapot",
        "Stoneware Teapot",
        "teaware",
        4200,
        "Jura, France",
        "Thrown by hand, ash glaze, holds four cups.",
        "#6b7f96",
        9,
    ),
)
BY_SLUG = {product.slug: product for product in PRODUCTS}


def search(text: str) -> list[Product]:
    """The products whose name or kind holds every word of `text`."""
    words = text.lower().split()
    return [one for one in PRODUCTS if all(word in f"{one.name} {one.kind}".lower() for word in words)]


def plain(product: Product) -> dict[str, object]:
    """A product as the API gives it."""
    return {"slug": product.slug, "name": product.name, "kind": product.kind, "price": product.price, "origin": product.origin}
