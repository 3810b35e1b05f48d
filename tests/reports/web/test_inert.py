"""What a site, a journey or an archive has written is shown as text, and can neither run nor lead out of its folder."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import quote

import msgspec
import pytest
from playwright.sync_api import Browser, Dialog

from runner.result import Artifact
from tests.support.services.dashboard import Visited, made

Start = Callable[..., Visited]
MARKS = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    '"><svg onload="document.title=\'pwned\'">',
    "' onmouseover='document.title=1' x='",
    "</title></textarea></script><script>document.title='pwned'</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:document.title='pwned'",
    "\u2028</script>\u0000",
)


class Elements(HTMLParser):
    """Collects what is in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        self.attributes += attrs


def filled(served: Visited) -> list[str]:
    """Runs whose every text is hostile; the addresses of pages that show them."""
    paths = ["/", "/runs", "/runs?status=failed"]
    for number, mark in enumerate(MARKS):
        # Past the rules for names: straight into the store.
        one = made(journey=f"buy{mark}", status="failed", message=mark, step=mark, location=f"here{mark}", ago=number)
        folder = served.archive.folder / f"{number}"
        folder.mkdir(parents=True)
        (folder / "result.json").write_bytes(msgspec.json.encode(one))
        served.store.add(one, folder)
        paths += [f"/runs/{one.id}", f"/journeys/{quote(one.journey, safe='')}", f"/runs/{quote(mark, safe='')}"]
        paths += [f"/runs?journey={quote(mark)}", f"/?location={quote(mark)}", f"/?range={quote(mark)}", f"/{quote(mark)}"]
    return paths


@pytest.mark.long
def test_hostile_texts_stay_texts_on_every_page(dashboard: Start) -> None:
    served = dashboard()
    for path in filled(served):
        page = served.get(path)
        assert page.status in {200, 400, 404}, path
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        found = Elements()
        found.feed(page.body.decode())
        for script in found.scripts:
            assert (script.get("src") or "").startswith("/static/") or script.get("type") == "application/json", path
        assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"], path
        assert not [v for n, v in found.attributes if n in {"href", "src"} and (v or "").lower().startswith("javascript:")], (
            path
        )
        assert b"<img src=x" not in page.body


@pytest.mark.thorough
def test_hostile_texts_do_nothing_in_a_browser(dashboard: Start, chrome: Browser) -> None:
    served = dashboard()
    paths = filled(served)
    page = chrome.new_page()
    dialogs: list[str] = []

    def told(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", told)
    for path in paths:
        page.goto(f"{served.address}{path}")
        assert page.title() not in {"pwned", "1"}, path
        assert page.locator("img[src=x], svg[onload]").count() == 0
    page.close()
    assert dialogs == []


# Files


@pytest.fixture(scope="module")
def kept(lasting: Callable[[str], Start]) -> tuple[Visited, dict[str, int]]:
    """A run with files of every kind, one of which lies outside of its folder; their ids by path."""
    served = lasting("kept")()
    (served.archive.folder / "secret.txt").write_text("the secret")
    folder = served.archive.folder / "run"
    (folder / "sub").mkdir(parents=True)
    page = b"<script>document.title='pwned'</script>"
    paths = {
        "screenshot": "open.png",
        "video": "video.webm",
        "trace": "trace.zip",
        "har": "har.json",
        "console": "console.jsonl",
        "aria": "sub/page.html",
    }
    for path in paths.values():
        (folder / path).write_bytes(page)
    (folder / "link.png").symlink_to(served.archive.folder / "secret.txt")
    outside = ["../secret.txt", str(served.archive.folder / "secret.txt"), "link.png", "sub/../../secret.txt", "sub", "none"]
    artifacts = [Artifact(kind=kind, path=path, bytes=9) for kind, path in paths.items()]
    artifacts += [Artifact(kind="screenshot", path=path, bytes=9) for path in outside]
    one = made(artifacts=tuple(artifacts))
    (folder / "result.json").write_bytes(msgspec.json.encode(one))
    served.store.add(one, folder)
    listed = json.loads(served.get(f"/api/v1/runs/{one.id}/artifacts").body)["artifacts"]
    return served, {row["name"]: row["id"] for row in listed}


def test_a_file_is_served_inert(kept: tuple[Visited, dict[str, int]]) -> None:
    served, ids = kept
    for name in ("open.png", "video.webm", "trace.zip", "har.json", "console.jsonl", "sub/page.html"):
        answer = served.get(f"/artifacts/{ids[name]}")
        assert answer.status == 200
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'self'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        assert "html" not in answer.headers["content-type"]
        shown = name in {"open.png", "video.webm", "trace.zip"}
        assert answer.headers["content-disposition"].startswith("inline" if shown else "attachment")


def test_no_file_leads_out_of_its_runs_folder(kept: tuple[Visited, dict[str, int]]) -> None:
    served, ids = kept
    for name, number in ids.items():
        if name.endswith("secret.txt") or name in {"link.png", "sub", "none"}:
            assert served.get(f"/artifacts/{number}").status == 404, name
    run = served.get("/api/v1/runs").json()["runs"][0]["id"]
    there = {row["name"]: row["there"] for row in served.get(f"/api/v1/runs/{run}").json()["artifacts"]}
    assert there["open.png"]
    assert not any(there[name] for name in ("../secret.txt", "link.png", "none", "sub"))


@pytest.mark.parametrize(
    "path",
    [
        "/static/../site.py",
        "/static/%2e%2e/site.py",
        "/static/..%2fsite.py",
        "/static/%2e%2e%2fsite.py",
        "/static/..\\site.py",
        "/static//etc/passwd",
        "/static/%00",
        "/viewer/../package.json",
        "/viewer/%2e%2e/%2e%2e/package.json",
        "/viewer/..%2f..%2f..%2fpackage.json",
        "/viewer//etc/passwd",
        "/artifacts/../runs/journeys.db",
        "/artifacts/1/../../../etc/passwd",
        "/artifacts/%2e%2e%2fjourneys.db",
        "/artifacts/-1",
        "/artifacts/1e3",
        "/artifacts/99999999999999999999999999",
        "/artifacts/0x1",
        "/runs/..%2f..%2fetc%2fpasswd",
        "/runs/%2e%2e/trace",
        "/api/v1/runs/..%2f..%2fetc%2fpasswd/artifacts",
    ],
)
def test_no_address_leads_out_of_a_folder(kept: tuple[Visited, dict[str, int]], path: str) -> None:
    served, _ = kept
    answer = served.get(path)
    assert answer.status in {400, 404}
    for text in (b"root:", b"the secret", b"class Site", b'"playwright-core"', b"SQLite format"):
        assert text not in answer.body


def test_the_api_tells_no_path_of_the_machine(kept: tuple[Visited, dict[str, int]]) -> None:
    served, _ = kept
    run = served.get("/api/v1/runs").json()["runs"][0]
    assert "folder" not in run
    for path in ("/api/v1/overview", "/api/v1/runs", "/api/v1/journeys/buy", "/api/v1/runs?format=csv"):
        assert str(served.archive.folder) not in served.get(path).body.decode()


def test_the_built_scripts_hold_nothing_of_what_checks_them() -> None:
    from reports.web.render.html import STATIC

    for file in STATIC.glob("*.js"):
        assert "axe-core" not in file.read_text()
        assert "http://" not in file.read_text().replace("http://www.w3.org/", "")
