"""A site of web components in open shadow trees, one in another, and of frames."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

SCRIPT = """
class Counter extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = `<button class="less" aria-label="Fewer ${this.title}">-</button><output>0</output><button class="more" aria-label="More ${this.title}">+</button>`;
    const change = (by) => { root.querySelector("output").textContent = Math.max(0, Number(root.querySelector("output").textContent) + by); };
    root.querySelector(".less").onclick = () => change(-1);
    root.querySelector(".more").onclick = () => change(1);
  }
}
class Panel extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = `<h2>Room</h2><label>Guest <input name="guest"></label>
      <label><input type="checkbox" name="breakfast"> With breakfast</label>
      <select aria-label="Bed"><option>Single</option><option>Double</option></select>
      <night-counter title="nights"></night-counter><button data-testid="next">Continue</button><p role="status"></p>`;
    root.querySelector("[data-testid=next]").onclick = () => {
      root.querySelector("[role=status]").textContent = "One moment";
      setTimeout(() => { location.href = "/extras"; }, 120);
    };
  }
}
customElements.define("night-counter", Counter);
customElements.define("room-panel", Panel);
"""


def page(title: str, body: str) -> HTMLResponse:
    return HTMLResponse(
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title} | Hotel</title></head><body>{body}</body></html>"
    )


async def room(request: Request) -> Response:
    return page("Room", f"<h1>Your stay</h1><room-panel></room-panel><script>{SCRIPT}</script>")


async def extras(request: Request) -> Response:
    return page(
        "Extras",
        "<h1>Extras</h1><iframe name=parking title=Parking src=/frame/parking></iframe><iframe title=Wishes src=/frame/wishes></iframe>"
        "<p><a href=/summary>Go to the summary</a></p>",
    )


async def parking(request: Request) -> Response:
    return page(
        "Parking",
        "<form onsubmit=\"event.preventDefault(); said.textContent = 'Reserved'\"><label>Plate <input name=plate></label>"
        "<button>Reserve</button></form><p id=said role=status></p>",
    )


async def wishes(request: Request) -> Response:
    return page(
        "Wishes",
        "<label><input type=checkbox> Quiet room</label><button onclick=\"document.querySelector('p').textContent = 'Kept'\">Keep wishes</button><p></p>",
    )


async def summary(request: Request) -> Response:
    return page("Summary", "<h1>Summary</h1><p>All is well.</p><a href=/>Begin again</a>")


SITE = Starlette(
    routes=[
        Route("/", room),
        Route("/extras", extras),
        Route("/frame/parking", parking),
        Route("/frame/wishes", wishes),
        Route("/summary", summary),
    ]
)
