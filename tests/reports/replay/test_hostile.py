"""A recording that someone has written to attack who looks at it: nothing in it runs, nothing in it loads anything."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page

from reports.replay.chunk import decode
from reports.replay.chunk_store import ChunkContext, ChunkStore
from tests.reports.replay.conftest import played
from tests.support.wait import let_pass

AWAY = "http://evil.test"
_ids = iter(range(10, 1_000_000))


def element(tag: str, attributes: dict[str, Any] | None = None, *children: dict[str, Any]) -> dict[str, Any]:
    return {"type": 2, "tagName": tag, "attributes": attributes or {}, "childNodes": list(children), "id": next(_ids)}


def words(content: str, **more: Any) -> dict[str, Any]:
    return {"type": 3, "textContent": content, "id": next(_ids), **more}


RUN = "(top.hacked = (top.hacked || 0) + 1, window.hacked = 1)"


def attacks() -> list[dict[str, Any]]:
    """Everything that could run or load something, each at an address of its own."""
    css = f"body {{ background: url({AWAY}/css1) }} "
    css += f"@import '{AWAY}/css2'; @font-face {{ font-family: x; src: url({AWAY}/font) }} p {{ font-family: x }}"
    return [
        element("script", {"src": f"{AWAY}/script.js"}),
        element("script", {}, words(RUN)),
        element("script", {"type": "module"}, words(f"import '{AWAY}/module.js'")),
        element("script", {"type": "speculationrules"}, words(json.dumps({"prefetch": [{"urls": [f"{AWAY}/spec"]}]}))),
        element("img", {"src": f"{AWAY}/img", "onerror": RUN, "onload": RUN}),
        element("img", {"src": "x", "onerror": RUN}),
        element("img", {"srcset": f"{AWAY}/srcset 1x"}),
        element("img", {"src": "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='top.hacked=1'/>"}),
        element(
            "svg", {"onload": RUN}, element("image", {"href": f"{AWAY}/svg"}), element("use", {"xlink:href": f"{AWAY}/use#a"})
        ),
        element("iframe", {"src": f"{AWAY}/frame"}),
        element("iframe", {"src": f"javascript:{RUN}"}),
        element("iframe", {"srcdoc": f"<script>{RUN}</script><img src={AWAY}/srcdoc onerror='{RUN}'>"}),
        element("iframe", {"rr_src": f"{AWAY}/rrsrc"}),
        element("object", {"data": f"{AWAY}/object"}),
        element("embed", {"src": f"{AWAY}/embed"}),
        element("video", {"src": f"{AWAY}/video", "poster": f"{AWAY}/poster", "autoplay": ""}),
        element("audio", {"src": f"{AWAY}/audio", "autoplay": ""}),
        element("link", {"rel": "stylesheet", "href": f"{AWAY}/link"}),
        element("link", {"rel": "preload", "as": "image", "href": f"{AWAY}/preload"}),
        element("link", {"rel": "prefetch", "href": f"{AWAY}/prefetch"}),
        element("link", {"rel": "dns-prefetch", "href": AWAY}),
        element("link", {"rel": "preconnect", "href": AWAY}),
        element("link", {"rel": "stylesheet", "_cssText": css}),
        element("meta", {"http-equiv": "refresh", "content": f"0;url={AWAY}/refresh"}),
        element("base", {"href": AWAY}),
        element(
            "form",
            {"action": f"{AWAY}/form"},
            element("button", {"formaction": f"javascript:{RUN}", "autofocus": "", "onfocus": RUN}),
        ),
        element("a", {"href": f"javascript:{RUN}", "ping": f"{AWAY}/ping"}, words("click me")),
        element("style", {}, words(css, isStyle=True)),
        element("style", {"_cssText": css}),
        element("p", {"style": f"background: url('{AWAY}/style')", "onclick": RUN, "onanimationstart": RUN}, words("attacked")),
        element("input", {"value": "x", "onfocus": RUN, "autofocus": True}),
        element("details", {"open": "", "ontoggle": RUN}),
        element("canvas", {"rr_dataURL": f"{AWAY}/canvas"}),
        element("img", {"src": "/runs"}),
        element("img", {"src": "/artifacts/1"}),
    ]


def added(node: dict[str, Any], parent: int) -> list[dict[str, Any]]:
    """A node and those in it, as rrweb tells of nodes that have come: each on its own."""
    children = [add for child in node.get("childNodes", ()) for add in added(child, node["id"])]
    return [{"parentId": parent, "nextId": None, "node": {**node, "childNodes": []}}, *children]


def put(chunk_store: ChunkStore, late: bool = False) -> str:
    """Stores a hostile recording as a browser could have sent it; returns its session."""
    session, now = str(uuid4()), time.time() * 1000
    sheet = element("style", {}, words("p { color: red }", isStyle=True))
    body = element("body", {"onload": RUN}, sheet, *(attacks() if not late else ()))
    html = element("html", {}, element("head"), body)
    document = {"type": 0, "childNodes": [{"type": 1, "name": "html", "publicId": "", "systemId": "", "id": 2}, html], "id": 1}
    adds = [add for one in attacks() for add in added(one, body["id"])]
    changes = [
        {"source": 0, "texts": [], "removes": [], "adds": adds if late else [], "attributes": []},
        {
            "source": 0,
            "texts": [],
            "removes": [],
            "adds": [],
            "attributes": [
                {
                    "id": body["id"],
                    "attributes": {"onclick": RUN, "style": {"background": f"url({AWAY}/mutated)"}, "background": f"{AWAY}/bg"},
                }
            ],
        },
        {"source": 10, "family": "x", "fontSource": f"url({AWAY}/fontface)", "buffer": False},
        {"source": 9, "id": body["id"], "type": 0, "commands": [{"property": "drawImage", "args": [f"{AWAY}/draw"]}]},
        {
            "source": 15,
            "id": 1,
            "styles": [{"styleId": 1, "rules": [{"rule": f"p {{ background: url({AWAY}/adopted) }}"}]}],
            "styleIds": [1],
        },
        {"source": 8, "id": sheet["id"], "adds": [{"rule": f"p {{ background: url({AWAY}/rule) }}"}]},
    ]
    events = [
        {"type": 4, "timestamp": now, "data": {"href": f"javascript:{RUN}", "width": 800, "height": 600}},
        {"type": 2, "timestamp": now + 10, "data": {"node": document, "initialOffset": {"left": 0, "top": 0}}},
        *({"type": 3, "timestamp": now + 100 + number * 50, "data": one} for number, one in enumerate(changes)),
        {"type": 5, "timestamp": now + 600, "data": {"tag": "gave-up", "payload": {"why": f"<img src=x onerror='{RUN}'>"}}},
        {"type": 6, "timestamp": now + 700, "data": {"plugin": "x", "payload": {"a": RUN}}},
        {"type": 3, "timestamp": now + 900, "data": {"source": 3, "id": 1, "x": 0, "y": 0}},
    ]
    whole = {
        "version": 1,
        "app": "shop",
        "session": session,
        "tab": str(uuid4()),
        "sequence": 0,
        "first": True,
        "events": events,
    }
    text = json.dumps(whole).encode()
    assert chunk_store.put(decode(text), text, ChunkContext("shop", time.time(), "real", f"</script><script>{RUN}</script>"))
    chunk_store.note("shop", session, "<script>" + RUN + "</script>", f"'\"><img src=x onerror={RUN}>", time.time())
    return session


def attack(chunk_store: ChunkStore, dashboard: str, visitor: BrowserContext, late: bool) -> tuple[Page, list[str]]:
    """Looks at a hostile recording to its end, and touches it; returns the page, and what it has asked for."""
    page = visitor.new_page()
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    frame = played(page, f"{dashboard}/sessions/{put(chunk_store, late)}/replay")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("0:00 of 0:00").or_(page.get_by_text("0:01 of 0:01")).wait_for(timeout=15_000)
    page.locator("#said", has_text="stopped").wait_for()
    frame.locator("p", has_text="attacked").first.wait_for()
    page.locator(".stage").click(position={"x": 20, "y": 20}, force=True)
    frame.locator("a", has_text="click me").first.evaluate("one => one.click()")
    let_pass(0.7, "nothing of it must run", page)
    return page, asked


def harmless(page: Page, asked: list[str], dashboard: str) -> None:
    own = [url.removeprefix(dashboard) for url in asked if url.startswith(dashboard)]
    assert [url for url in asked if not url.startswith((dashboard, "data:", "about:"))] == []
    assert {url.partition("?")[0].rpartition("/")[0] for url in own} <= {
        "/static",
        "/replays/chunks",
        f"{page.url.removeprefix(dashboard).rpartition('/')[0]}",
    }
    for frame in page.frames:
        assert frame.evaluate("[typeof window.hacked, typeof top.hacked]") == ["undefined", "undefined"], frame.url


def test_a_hostile_picture_of_a_page_does_nothing(chunk_store: ChunkStore, dashboard: str, visitor: BrowserContext) -> None:
    page, asked = attack(chunk_store, dashboard, visitor, late=False)
    harmless(page, asked, dashboard)


@pytest.mark.thorough
def test_a_hostile_change_of_a_page_does_nothing(chunk_store: ChunkStore, dashboard: str, visitor: BrowserContext) -> None:
    page, asked = attack(chunk_store, dashboard, visitor, late=True)
    harmless(page, asked, dashboard)


@pytest.mark.thorough
def test_the_frame_runs_nothing_even_if_it_were_not_cleaned(
    chunk_store: ChunkStore, dashboard: str, visitor: BrowserContext
) -> None:
    """The frame's sandbox and the page's policy alone, without the cleaning of what is played."""
    visitor.route(
        "**/static/replay.js", lambda route: route.fulfill(body=unclean(route.fetch().text()), content_type="text/javascript")
    )
    page, asked = attack(chunk_store, dashboard, visitor, late=False)
    assert page.locator(".stage iframe").get_attribute("sandbox") == "allow-same-origin"
    assert [url for url in asked if not url.startswith((dashboard, "data:", "about:"))] == []
    for frame in page.frames:
        assert frame.evaluate("[typeof window.hacked, typeof top.hacked]") == ["undefined", "undefined"], frame.url


def unclean(script: str) -> str:
    """The player with a cleaner that cleans nothing: every pattern of it matches nothing."""
    before, name, after = script.partition("/^on/i")
    assert name, "the player's cleaner is not where it was"
    return (
        before
        + "/^never/"
        + after.replace("/^(script|noscript|base|object", "/^(never|object", 1).replace("/^(src|srcset|", "/^(never|", 1)
    )
