"""Clicks after which nothing happens: which are reported as dead, and which have an effect that is not a change of the document."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.services.receiver import Receiver, leave, look_at
from tests.support.wait import wait_until

CANVAS = "<canvas id=c width=9 height=9></canvas>"
WAV = "data:audio/wav;base64,UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
DEAD = {
    "a button without a handler": "<button id=it>Go</button>",
    "a button whose handler does nothing": "<button id=it onclick='1 + 1'>Go</button>",
    "a button in a form that a script holds back": "<form onsubmit='return false'><button id=it>Go</button></form>",
    "a link whose script does nothing": "<a id=it href='/elsewhere' onclick='return false'>Go</a>",
    "a link without a place": "<a id=it href='#'>Go</a>",
    "a link to an anchor that does not exist": "<a id=it href='#none' onclick='return false'>Go</a>",
    "a link to no code": "<a id=it href='javascript:void 0'>Go</a>",
    "what looks as if it could be clicked": "<div id=it style='cursor: pointer'>Go</div>",
    "what is called a button": "<div id=it role=button>Go</div>",
    "an icon in a button": "<button><svg id=it width=20 height=20><rect width=20 height=20 /></svg></button>",
    "a button in a shadow tree": (
        "<x-a id=it></x-a><script>document.querySelector('x-a').attachShadow({mode:'open'}).innerHTML='<button>Go</button>'</script>"
    ),
    "a click that is only counted": (
        "<button id=it onclick=\"navigator.sendBeacon('/count'); fetch('/count', {keepalive: true, method: 'POST'})\">Go</button>"
    ),
}
ALIVE = {
    "plain text": "<p id=it>Some text</p>",
    "a heading": "<h1 id=it>Tea</h1>",
    "a change of the document": "<button id=it onclick='this.textContent = 1'>Go</button>",
    "a change that comes later": "<button id=it onclick='setTimeout(() => this.textContent = 1, 1500)'>Go</button>",
    "a class": "<button id=it onclick='this.classList.add(\"on\")'>Go</button>",
    "a change in a shadow tree": (
        "<x-a id=it></x-a><script>document.querySelector('x-a').attachShadow({mode:'open'}).innerHTML="
        "'<button onclick=\"this.textContent = 1\">Go</button>'</script>"
    ),
    "a request": "<button id=it onclick='fetch(\"/ask\")'>Go</button>",
    "a request of the older kind": (
        '<button id=it onclick=\'const x = new XMLHttpRequest(); x.open("GET", "/ask"); x.send()\'>Go</button>'
    ),
    "an address": '<button id=it onclick=\'history.pushState(0, "", "?a")\'>Go</button>',
    "a scroll": "<button id=it onclick='window.scrollBy(0, 500)'>Go</button><p style='height: 3000px'>",
    "an anchor in view": "<a id=it href='#here'>Go</a><p id=here>Here</p>",
    "an anchor to the top": "<a id=it href='#top'>Go</a>",
    "a link to where one is": "<a id=it href='{path}' onclick='return false'>Go</a>",
    "a download": "<a id=it href='/file' download onclick='return false'>Go</a>",
    "a download by script": (
        '<button id=it onclick=\'const a = document.createElement("a"); a.href = URL.createObjectURL(new Blob([1]));'
        ' a.download = "a"; a.click()\'>Go</button>'
    ),
    "a new tab": "<a id=it target=_blank href='/none' onclick='return false'>Go</a>",
    "a window": "<button id=it onclick='window.open(\"/none\")'>Go</button>",
    "mail": "<a id=it href='mailto:a@b.example' onclick='return false'>Go</a>",
    "the clipboard": "<button id=it onclick='navigator.clipboard.writeText(1).catch(() => 0)'>Go</button>",
    "the clipboard of old": "<button id=it onclick='getSelection().selectAllChildren(this); document.execCommand(\"copy\")'>Go</button>",
    "sound": f"<button id=it onclick='new Audio(\"{WAV}\").play().catch(() => 0)'>Go</button>",
    "sound that is made": (
        "<button id=it onclick='const a = new AudioContext(); const o = a.createOscillator(); o.start(); o.stop()'>Go</button>"
    ),
    "a player": "<video id=it controls width=200 height=100></video>",
    "a canvas": "<canvas id=it role=button width=50 height=50></canvas>",
    "a button beside a canvas": f"<button id=it onclick='c.getContext(\"2d\").fillRect(0, 0, 9, 9)'>Go</button>{CANVAS}",
    "a dialog for files": "<button id=it onclick='f.click()'>Go</button><input type=file id=f hidden>",
    "a field for files": "<input id=it type=file>",
    "a message": "<button id=it onclick='alert(1)'>Go</button>",
    "printing": "<button id=it onclick='print()'>Go</button><script>window.print = () => 0</script>",
    "a popover": "<button id=it popovertarget=p>Go</button><p id=p popover>Here</p>",
    "details": "<details><summary id=it>More</summary>Text</details>",
    "a focus": "<button id=it onclick='f.focus()'>Go</button><input id=f>",
    "a field": "<input id=it value=text>",
    "a list of choices": "<select id=it><option>a<option>b</select>",
    "an edited text": "<div id=it contenteditable role=textbox>text</div>",
    "a box": "<input type=checkbox id=it>",
    "a chosen radio button": "<input type=radio checked id=it>",
    "the label of a field": "<label id=it style='cursor: pointer'>Name <input></label>",
    "the tab that is chosen": "<button id=it role=tab aria-selected=true>Go</button>",
    "the page that is shown": "<a id=it href='/x' aria-current=page onclick='return false'>Go</a>",
    "what cannot be used": "<button id=it aria-disabled=true>Go</button>",
    "an invalid form": "<form action='/none'><input required><button id=it>Go</button></form>",
    "an error": "<button id=it onclick='missing()'>Go</button>",
    "an animation": "<button id=it onclick='this.animate([{opacity: 0}, {opacity: 1}], 100)'>Go</button>",
    "a message to a worker": (
        "<button id=it onclick='w.postMessage(1)'>Go</button>"
        "<script>w = new Worker(URL.createObjectURL(new Blob(['0'])))</script>"
    ),
    "a page that is slow to answer": "<a id=it href='/slow'>Go</a>",
    "a form that is slow to be answered": "<form action='/slow'><button id=it>Go</button></form>",
}
TABS = {"chromium": 10, "firefox": 1}
"""Pages that wait at the same time. In Firefox a tab loses the focus to the next one, which is an effect."""
CHEAP = ("a button without a handler", "a change that comes later", "an anchor in view")


def open_page(page: Page, receiver: Receiver, path: str, body: str) -> None:
    """Opens a page whose clicks are watched."""
    receiver.judges_clicks = True
    # The browser then stays on the page, as it does until a slow page answers.
    page.route("**/slow*", lambda route: route.fulfill(status=204))
    look_at(page, receiver.page(f"<h2>A page</h2>{body}".replace("{path}", path), path=path))
    # What the agent does when it has loaded this file is done first.
    page.evaluate("import('/clicks.js').then(() => 0)")
    page.route("**/count", lambda route: route.fulfill(status=204))
    page.on("dialog", lambda dialog: dialog.accept())


def find_dead(visitor: BrowserContext, receiver: Receiver, cases: dict[str, str], together: int) -> set[str]:
    """Clicks in each case once, in a tab of its own, some at a time; returns the cases whose click is reported as dead."""
    names = {f"/case-{number}": name for number, name in enumerate(cases)}
    for first in range(0, len(cases), together):
        tabs = []
        for path in list(names)[first : first + together]:
            tab = visitor.new_page()
            open_page(tab, receiver, path, cases[names[path]])
            tab.locator("#it").click(no_wait_after=True, force=True)
            tab.evaluate("clicked = performance.now()")
            tabs.append(tab)
        for tab in tabs:
            # The agent's timer, which was set before this one, is called first.
            tab.evaluate("new Promise((done) => setTimeout(done, clicked + 2600 - performance.now()))")
            leave(tab)
            tab.close()
    wait_until(lambda: len({urlsplit(view.url).path for view in receiver.views} & set(names)) == len(names))
    return {
        names[urlsplit(view.url).path] for view in receiver.views if any(one.type == "dead-click" for one in view.interactions)
    }


def test_a_click_without_an_effect_is_dead(visitor: BrowserContext, receiver: Receiver, engine: str) -> None:
    every = DEAD | ALIVE
    assert find_dead(visitor, receiver, {name: every[name] for name in CHEAP}, TABS[engine]) == {"a button without a handler"}


def test_a_route_that_is_gone_back_to_says_so(page: Page, receiver: Receiver) -> None:
    open_page(page, receiver, "/app", '<button id=it onclick=\'history.pushState(0, "", "/item")\'>Go</button>')
    page.locator("#it").click()
    page.evaluate("new Promise((done) => { addEventListener('popstate', () => setTimeout(done)); history.back(); })")
    page.evaluate("new Promise((done) => { addEventListener('popstate', () => setTimeout(done)); history.forward(); })")
    leave(page)
    wait_until(lambda: len(receiver.views) >= 4)
    seen = [(urlsplit(one.url).path, [act.type for act in one.interactions]) for one in receiver.views]
    assert seen == [("/app", ["click"]), ("/item", []), ("/app", ["back"]), ("/item", [])]


def test_a_click_is_reported_with_a_selector(page: Page, receiver: Receiver) -> None:
    look_at(page, receiver.page("<main class='a b'><button><b>Go</b></button></main>"))
    page.locator("b").click()
    leave(page)
    (click,) = receiver.view("/page").interactions
    assert click.element == "html>body>main.a.b>button"


@pytest.mark.parametrize("value", ["on", "off"])
def test_a_page_can_do_without_dead_clicks(page: Page, receiver: Receiver, value: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(receiver.page(frustration=value))
    page.evaluate("new Promise((done) => setTimeout(done))")
    leave(page)
    receiver.wait()
    assert ("/clicks.js" in asked) == (value == "on")


@pytest.mark.thorough
@pytest.mark.timeout(1200)
def test_every_kind_of_effect_is_seen(visitor: BrowserContext, receiver: Receiver, engine: str) -> None:
    # In Firefox one page after the other, each for some seconds: a part of them.
    every = dict(list((DEAD | ALIVE).items())[:: 1 if engine == "chromium" else 8])
    found, dead = find_dead(visitor, receiver, every, TABS[engine]), set(every) & set(DEAD)
    assert (found - dead, dead - found) == (set(), set())
