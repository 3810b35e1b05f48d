"""HTML from the shop's templates."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from runner.demo.visitor import Visitor, recognise

HERE = Path(__file__).parent
templates = Jinja2Templates(HERE / "templates")


def page(request: Request, template: str, status: int = 200, visitor: Visitor | None = None, **values: Any) -> Response:
    """A page of the shop, with the visitor's cart in its header, and the agent for real users if the shop has one."""
    context = {"visitor": visitor or recognise(request), "agent": request.app.state.agent, **values}
    return templates.TemplateResponse(request, template, context, status_code=status)
