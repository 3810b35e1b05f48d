"""Errors of real users on the dashboard and in the API: what is seen, what can be decided, and by whom."""

import gzip
import os
from collections.abc import Callable
from hashlib import sha256

import pytest

from reports.collector.storage.series import generalize_message
from reports.source_maps import uploads
from reports.source_maps.map_store import FOLDER, MapAbout
from reports.source_maps.remote import RemoteMaps, UploadFailed
from runner.errors import ConfigError
from runner.settings.secrets import Secret
from tests.reports.collector.arrivals import error
from tests.reports.source_maps.built import explain_shop, shop_map, stack
from tests.reports.web.test_access import WITH_TOKEN
from tests.reports.web.visitors import EVIL, NOW, fill, seen
from tests.support.services.dashboard import TOKEN, Visited

Start = Callable[..., Visited]
MESSAGES = ("x is undefined", "the card is refused", EVIL)
BEARER = {"authorization": f"Bearer {TOKEN}", "accept": "application/json"}


@pytest.fixture
def shop(dashboard: Start) -> tuple[Visited, dict[str, str]]:
    """A dashboard with three errors, of which one is explained and one resolved; the id of each by its message."""
    served = dashboard(WITH_TOKEN)
    errors = [error(message, stack=stack(message=message) if message == MESSAGES[0] else "") for message in MESSAGES]
    views = [seen("/pay", NOW - 600, 1.0, errors=(one,), release="2.0") for one in errors]
    fill(served.store, views, [])
    return served, explain_shop(served)


def text(served: Visited, path: str, **headers: str) -> str:
    answer = served.get(path, **{"authorization": f"Bearer {TOKEN}", **headers})
    assert answer.status == 200, (path, answer.status)
    return answer.body.decode()


@pytest.mark.long
def test_an_error_is_shown_in_the_original_code(shop: tuple[Visited, dict[str, str]]) -> None:
    served, ids = shop
    page = text(served, f"/errors/{ids['x is undefined']}")
    assert "src/price.ts:2" in page
    assert "return order.items.map((item) =&gt; item.price);" in page
    assert "third party" in page
    assert "app.1a2b3c4d.js:1:104" in page
    hostile = text(served, f"/errors/{ids[generalize_message(EVIL)]}")
    assert EVIL not in hostile
    assert "&lt;img src=x" in hostile
    data = served.get(f"/api/v1/errors/{ids['x is undefined']}", **BEARER).json()
    assert (data["state"], data["error"]["frames"][0]["line"], data["sampled"]) == ("open", 2, 1)
    assert [one["release"] for one in data["error"]["releases"]] == ["2.0"]
    view = data["newest"][0]["view"]
    assert "src/price.ts:2" in text(served, f"/users/views/{view}")


def test_code_is_shown_to_nobody_who_has_not_signed_in(shop: tuple[Visited, dict[str, str]]) -> None:
    served, ids = shop
    for path in (
        f"/errors/{ids['x is undefined']}",
        "/errors",
        "/api/v1/source-maps",
        f"/api/v1/errors/{ids['x is undefined']}",
    ):
        answer = served.get(path, accept="application/json")
        assert answer.status == 401, path
        assert b"price" not in answer.body


@pytest.mark.long
def test_the_list_has_what_is_unresolved_and_says_how_much_else_there_is(shop: tuple[Visited, dict[str, str]]) -> None:
    served, ids = shop
    page = text(served, "/errors")
    assert ids["x is undefined"] in page
    assert "src/price.ts:2" in page
    assert ids["the card is refused"] not in page
    assert ids["the card is refused"] in text(served, "/errors?state=resolved")
    assert "3 in all" in text(served, "/errors?state=ignored")
    assert served.get("/errors?state=gone", **BEARER).status == 400
    listed = served.get("/api/v1/errors?state=all&app=shop", **BEARER).json()
    assert listed["others"] == {"open": 2, "resolved": 1}
    assert ids["x is undefined"] in text(served, "/users?app=shop")


@pytest.mark.long
def test_it_is_resolved_with_a_note_and_opened_again(shop: tuple[Visited, dict[str, str]]) -> None:
    served, ids = shop
    path, cookie = f"/errors/{ids['x is undefined']}", served.sign_in(token=TOKEN)
    answer = served.post(f"{path}/state", {"state": "resolved", "note": f"guarded {EVIL}"}, cookie=cookie)
    assert (answer.status, answer.headers["location"]) == (303, path)
    page = text(served, path)
    assert "resolved</strong> in release 2.0 by token" in page
    assert "guarded &lt;/script&gt;" in page
    with served.store.connected() as connection:
        connection.exec_driver_sql(f"UPDATE error_states SET state = 'reopened', reopened_at = {NOW}, reopened_in = '2.1'")
    assert "reopened in 2.1" in text(served, "/errors")
    assert "came again</strong> in release 2.1" in text(served, path)
    answer = served.request("POST", f"/api/v1{path}/state?state=open", None, BEARER)
    assert (answer.status, answer.json()) == (200, {"error": ids["x is undefined"], "state": "open"})
    assert served.get(f"/api/v1{path}", **BEARER).json()["decision"] is None
    for bad, status in ((f"{path}/state", 400), (f"{path}/state?state=gone", 400), ("/errors/nothing/state?state=open", 404)):
        assert served.request("POST", f"/api/v1{bad}", None, BEARER).status == status
    assert served.request("POST", f"/api/v1{path}/state?state=open&note={'x' * 190}y{'z' * 20}", None, BEARER).status == 400


@pytest.mark.long
def test_maps_are_uploaded_in_pieces_listed_and_removed(
    shop: tuple[Visited, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, _ = shop
    maps = RemoteMaps(served.address, Secret(TOKEN))
    about = MapAbout(release="3.0", script="assets/../../x.js", app="shop")
    # Noise, so that it is larger than a piece however it is compressed.
    large = shop_map(noise=os.urandom(900_000).hex())
    assert len(gzip.compress(large)) > uploads.PIECE / 2
    monkeypatch.setattr(uploads, "PIECE", 300_000)
    assert maps.put(about, large)
    assert not maps.put(about, large)
    (kept,) = maps.list("3.0", None)
    assert (kept["script"], kept["who"], kept["checksum"]) == ("assets/../../x.js", "token", sha256(large).hexdigest())
    folder = served.archive.folder / FOLDER
    assert not any((folder / ".incoming").iterdir())
    assert {one.parent for one in folder.rglob("*.gz")} == {folder}
    assert maps.remove("3.0", "shop") == 1
    assert maps.list("3.0", None) == []
    with pytest.raises(UploadFailed, match=r"400: .*not a source map"):
        maps.put(about, b"<html>")
    with pytest.raises(UploadFailed, match="401"):
        RemoteMaps(served.address, None).put(about, shop_map())
    with pytest.raises(ConfigError, match="sent in clear"):
        RemoteMaps("http://monitor.example", Secret(TOKEN))


@pytest.mark.parametrize(
    ("words", "body", "status", "why"),
    [
        ("release=1&script=a.js", b"x", 400, "checksum"),
        ("script=a.js", b"x", 400, "release"),
        ("release=1&script=a.js&checksum=../../etc/passwd", b"x", 400, "64 hexadecimal"),
        (f"release=1&script=a.js&checksum={'0' * 64}", gzip.compress(b"{}"), 400, "do not make the map"),
        (f"release=1&script=a.js&checksum={'0' * 64}", b"not gzip", 400, "decompressed"),
        (f"release=1&script=a.js&checksum={'0' * 64}&piece=3&pieces=2", b"x", 400, "pieces"),
        (f"release=1&script=a.js&checksum={'0' * 64}", b"x" * 1_048_577, 413, "at most"),
    ],
    ids=["no checksum", "no release", "a path", "another map", "not compressed", "too many pieces", "too large"],
)
def test_what_does_not_fit_is_not_kept(
    shop: tuple[Visited, dict[str, str]], words: str, body: bytes, status: int, why: str
) -> None:
    served, _ = shop
    answer = served.request("POST", f"/api/v1/source-maps?{words}", body, BEARER)
    assert answer.status == status
    assert why in answer.json()["detail"]
    assert [one["release"] for one in served.get("/api/v1/source-maps", **BEARER).json()["maps"]] == ["2.0"]


def test_a_page_elsewhere_can_neither_decide_nor_upload(shop: tuple[Visited, dict[str, str]]) -> None:
    served, ids = shop
    cookie = served.sign_in(token=TOKEN)
    forged = {"cookie": cookie, "sec-fetch-site": "cross-site", "accept": "application/json"}
    for method, path in (
        ("POST", f"/errors/{ids[generalize_message(EVIL)]}/state"),
        ("POST", f"/api/v1/errors/{ids[generalize_message(EVIL)]}/state?state=ignored"),
        ("POST", "/api/v1/source-maps?release=1&script=a.js"),
        ("DELETE", "/api/v1/source-maps?release=2.0"),
    ):
        assert served.request(method, path, b"", forged).status == 403
    assert served.get(f"/api/v1/errors/{ids[generalize_message(EVIL)]}", **BEARER).json()["state"] == "open"
