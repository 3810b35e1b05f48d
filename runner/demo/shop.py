"""The shop as one application."""

from pathlib import Path

from msgspec import Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from runner.demo import api, checkout, pages, switches
from runner.demo.delay import Delayed
from runner.demo.render import HERE, page


class Agent(Struct, frozen=True):
    """The agent for real users on every page: the address of its collector, the collector's key for the shop, and the share of
    visits that are recorded."""

    collector: str
    key: str = ""
    replay: float = 0.0


async def health(request: Request) -> Response:
    """Says that the shop is up."""
    return PlainTextResponse("ok")


async def not_found(request: Request, error: Exception) -> Response:
    """The page for an address that does not exist."""
    return page(request, "error.html", 404, title="Not found", message="There is no such page.")


def build(access_log: Path | None = None, delay: float = 0, agent: Agent | None = None) -> Starlette:
    """The shop; `access_log` takes one JSON line a request, with times in seconds since the epoch.

    Each answer is held back by `delay` milliseconds. The pages have the `agent` of a collector, if there is one.
    """
    shop = Starlette(
        routes=[
            *pages.ROUTES,
            *checkout.ROUTES,
            *api.ROUTES,
            *switches.ROUTES,
            Route("/healthz", health),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Delayed, log=access_log, always=delay)],
        exception_handlers={404: not_found},
    )
    shop.state.agent = agent
    return shop
