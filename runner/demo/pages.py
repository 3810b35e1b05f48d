"""The server-rendered pages: home, search, product, cart, sign-in."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runner.demo.catalogue import BY_SLUG, PRODUCTS, search
from runner.demo.render import page
from runner.demo.visitor import EMAIL, PASSWORD, recognise, remember

BROKEN = "cracked-teapot"
"""The product whose page answers 500."""


async def home(request: Request) -> Response:
    """All products."""
    return page(request, "home.html", products=PRODUCTS)


async def results(request: Request) -> Response:
    """What a search has found."""
    text = request.query_params.get("q", "")[:100]
    return page(request, "results.html", text=text, products=search(text))


async def product(request: Request) -> Response:
    """One product, or the error pages that a shop has."""
    slug = request.path_params["slug"]
    if slug == BROKEN:
        return page(
            request, "error.html", 500, title="Something broke", message="The kettle boiled over. Please try again later."
        )
    if slug not in BY_SLUG:
        return page(request, "error.html", 404, title="Not found", message="We do not sell this one.")
    return page(request, "product.html", product=BY_SLUG[slug])


async def add(request: Request) -> Response:
    """Puts a product into the cart and goes there."""
    slug = request.path_params["slug"]
    if slug not in BY_SLUG:
        return page(request, "error.html", 404, title="Not found", message="We do not sell this one.")
    visitor = recognise(request)
    visitor.cart[slug] = visitor.cart.get(slug, 0) + 1
    return remember(visitor, RedirectResponse("/cart", 303))


async def cart(request: Request) -> Response:
    """The cart."""
    visitor = recognise(request)
    lines = [(BY_SLUG[slug], count) for slug, count in visitor.cart.items()]
    return page(request, "cart.html", visitor=visitor, lines=lines, total=f"€{visitor.total / 100:.2f}")


async def login(request: Request) -> Response:
    """The sign-in page; a right password leads on, a wrong one back with a message."""
    wanted = request.query_params.get("next", "/")
    onward = wanted if wanted.startswith("/") and not wanted.startswith("//") else "/"
    if request.method == "GET":
        return page(request, "login.html", onward=onward, wrong=False)
    form = await request.form()
    if form.get("email") != EMAIL or form.get("password") != PASSWORD:
        return page(request, "login.html", 422, onward=onward, wrong=True)
    visitor = recognise(request)
    visitor.email = EMAIL
    return remember(visitor, RedirectResponse(onward, 303))


ROUTES = [
    Route("/", home),
    Route("/search", results),
    Route("/product/{slug}", product),
    Route("/product/{slug}/add", add, methods=["POST"]),
    Route("/cart", cart),
    Route("/login", login, methods=["GET", "POST"]),
]
