"""A library, rendered by the server: forms by GET and POST, selects, radio buttons, a list with the same button on each row."""

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

BOOKS = {
    1001: ("The Silent Garden", "novel"),
    1002: ("Rivers of Glass", "poetry"),
    1003: ("A Short History of Bread", "history"),
    1004: ("The Last Lighthouse", "novel"),
    1005: ("Bridges and Their Builders", "history"),
}
KINDS = ("all", "novel", "poetry", "history")


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title} - Town Library</title></head><body>"
        "<nav><a href=/>Home</a> <a href=/books>Books</a> <a href=/card>Get a card</a> <a href=/list>My list</a></nav>"
        f"<main><h1>{title}</h1>{body}</main></body></html>",
        status,
    )


async def home(request: Request) -> Response:
    return page("Town Library", "<p>Open from nine to five.</p><p><a href=/books>See all books</a></p>")


async def books(request: Request) -> Response:
    text, kind = request.query_params.get("q", ""), request.query_params.get("kind", "all")
    found = {number: title for number, (title, of) in BOOKS.items() if text.lower() in title.lower() and kind in {"all", of}}
    options = "".join(f"<option value={one}{' selected' if one == kind else ''}>{one.title()}</option>" for one in KINDS)
    rows = "".join(
        f"<tr><td><a href=/books/{number}>{title}</a></td><td><form method=post action=/list/{number}><button>Put on my list</button></form></td></tr>"
        for number, title in found.items()
    )
    form = f'<form><label>Title <input name=q value="{escape(text)}"></label><label>Kind <select name=kind>{options}</select></label><button>Find</button></form>'
    return page("Books", f"{form}<p>{len(found)} found</p><table>{rows}</table>")


async def book(request: Request) -> Response:
    number = request.path_params["number"]
    title, kind = BOOKS[number]
    return page(
        title, f"<p>{kind}, shelf {number}</p><form method=post action=/list/{number}><button>Put on my list</button></form>"
    )


async def add(request: Request) -> Response:
    answer = RedirectResponse("/list", 303)
    kept = [one for one in request.cookies.get("list", "").split(".") if one]
    answer.set_cookie("list", ".".join([*kept, str(request.path_params["number"])]))
    return answer


async def listed(request: Request) -> Response:
    kept = [int(one) for one in request.cookies.get("list", "").split(".") if one]
    rows = "".join(f"<li>{BOOKS[one][0]}</li>" for one in kept)
    return page("My list", f"<ul>{rows}</ul>" if kept else "<p>Nothing on it yet.</p>")


async def card(request: Request) -> Response:
    if request.method == "POST":
        form = await request.form()
        if not form.get("terms"):
            return page("Get a card", "<p role=alert>Please accept the rules.</p>", 422)
        return RedirectResponse("/card/done", 303)
    return page(
        "Get a card",
        "<form method=post><p><label for=who>Full name</label> <input id=who name=full_name required></p>"
        "<p><input type=email name=email placeholder='E-mail address' required></p>"
        "<fieldset><legend>Branch</legend><label><input type=radio name=branch value=north checked> North</label>"
        "<label><input type=radio name=branch value=south> South</label></fieldset>"
        "<p><label>Notes <textarea name=notes></textarea></label></p>"
        "<p><label><input type=checkbox name=terms> I accept the rules</label></p><button>Ask for a card</button></form>",
    )


async def done(request: Request) -> Response:
    return page("Thank you", "<p>Your card is on its way.</p>")


SITE = Starlette(
    routes=[
        Route("/", home),
        Route("/books", books),
        Route("/books/{number:int}", book),
        Route("/list/{number:int}", add, methods=["POST"]),
        Route("/list", listed),
        Route("/card", card, methods=["GET", "POST"]),
        Route("/card/done", done),
    ]
)
