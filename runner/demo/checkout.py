"""The single-page checkout: address, payment in a frame, done, and the receipt in a window of its own."""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from runner.demo.catalogue import BY_SLUG
from runner.demo.render import page
from runner.demo.visitor import order, place_order, recognise, remember


async def checkout(request: Request) -> Response:
    """The page that holds the three steps; `?frame=cross` takes the payment frame from another origin."""
    visitor = recognise(request)
    if visitor.email is None:
        return RedirectResponse("/login?next=/checkout", 303)
    host = request.url.hostname or ""
    other = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}.get(host, host)
    cross = request.query_params.get("frame") == "cross"
    frame = f"{request.url.scheme}://{other}:{request.url.port}/pay/frame" if cross else "/pay/frame"
    return page(request, "checkout.html", visitor=visitor, frame=frame, total=f"€{visitor.total / 100:.2f}")


async def frame(request: Request) -> Response:
    """The bank's form, which is shown in the frame."""
    return page(request, "pay_frame.html")


async def address(request: Request) -> Response:
    """Takes the address."""
    visitor = recognise(request)
    visitor.address = str((await request.json()).get("address", ""))[:200].strip()
    if not visitor.address:
        return JSONResponse({"error": "Please give an address."}, 422)
    return remember(visitor, JSONResponse({"ok": True}))


async def finish(request: Request) -> Response:
    """Places the order once the frame says that it was paid."""
    visitor = recognise(request)
    if visitor.email is None or not visitor.cart or not visitor.address:
        return JSONResponse({"error": "There is nothing to pay."}, 409)
    return remember(visitor, JSONResponse({"order": place_order(visitor)}))


async def receipt(request: Request) -> Response:
    """The receipt of an order."""
    number = request.path_params["number"]
    found = order(number)
    if found is None:
        return page(request, "error.html", 404, title="Not found", message="There is no such order.")
    lines = [(BY_SLUG[slug], count) for slug, count in found]
    total = sum(product.price * count for product, count in lines)
    return page(request, "receipt.html", number=number, lines=lines, total=f"€{total / 100:.2f}")


ROUTES = [
    Route("/checkout", checkout),
    Route("/checkout/{step}", checkout),
    Route("/pay/frame", frame),
    Route("/api/checkout/address", address, methods=["POST"]),
    Route("/api/checkout/finish", finish, methods=["POST"]),
    Route("/receipt/{number}", receipt),
]
