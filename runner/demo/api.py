"""The JSON API, and the single-page search that lives on it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.demo.catalogue import BY_SLUG, PRODUCTS, plain, search
from runner.demo.render import page


async def products(request: Request) -> Response:
    """All products."""
    return JSONResponse({"products": [plain(one) for one in PRODUCTS]})


async def product(request: Request) -> Response:
    """One product."""
    found = BY_SLUG.get(request.path_params["slug"])
    return JSONResponse(plain(found) if found else {"error": "not found"}, 200 if found else 404)


async def stock(request: Request) -> Response:
    """How many of a product there are."""
    found = BY_SLUG.get(request.path_params["slug"])
    answer = {"slug": found.slug, "stock": found.stock} if found else {"error": "not found"}
    return JSONResponse(answer, 200 if found else 404)


async def find(request: Request) -> Response:
    """The products that a text finds."""
    return JSONResponse({"products": [plain(one) for one in search(request.query_params.get("q", "")[:100])]})


async def wait(request: Request) -> Response:
    """Answers after `?delay=`."""
    return JSONResponse({"ok": True})


async def app(request: Request) -> Response:
    """The single-page search; its routes are made by the browser."""
    return page(request, "app.html")


ROUTES = [
    Route("/api/products", products),
    Route("/api/products/{slug}", product),
    Route("/api/stock/{slug}", stock),
    Route("/api/search", find),
    Route("/api/wait", wait),
    Route("/app", app),
    Route("/app/item/{slug}", app),
]
