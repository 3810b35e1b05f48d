"""Beacons of our own agent: what is taken, what is refused, and what a sender is told."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from http.client import HTTPConnection

import pytest

from reports.collector.admission.app_registry import AppRegistry
from reports.collector.admission.body_room import BodyRoom
from reports.collector.admission.client_network import ClientNetworks
from reports.collector.admission.intake import AT_ONCE, Intake
from reports.collector.errors import Refusal
from reports.collector.http.body import Limits, read_body
from reports.collector.metrics.collector_metrics import CollectorMetrics
from reports.collector.protocols.native import parse_beacon
from reports.collector.storage.group_commit import Busy
from runner.store import StoreDown
from runner.store.bulk_insert import Unstorable
from tests.support.raw_http import CHROME
from tests.support.services.collector import SHOP, Kept, Served, beacon, view


def test_a_beacon_is_answered_when_it_is_stored(collector: Served) -> None:
    sent = beacon(view(title="Sencha"), release="1.4.2")
    answer = collector.post(sent)
    assert (answer.status, answer.body) == (202, b"")
    arrival = collector.newest
    assert (arrival.beacon.id, arrival.beacon.release, arrival.beacon.views[0].title) == (sent["id"], "1.4.2", "Sencha")
    assert (arrival.pages, arrival.browser, arrival.system, arrival.device) == (
        ("/item/:slug",),
        "Chrome 156",
        "Linux",
        "desktop",
    )


def test_the_content_type_does_not_matter(collector: Served) -> None:
    for content_type in ("text/plain;charset=UTF-8", "application/json", "application/octet-stream"):
        assert collector.post(beacon(), content_type=content_type).status == 202
    assert collector.request("POST", "/v1/views", json.dumps(beacon()).encode()).status == 202, "no origin: not a browser's"


@pytest.mark.parametrize(("encoding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("", gzip.compress)])
def test_a_compressed_beacon_is_taken(collector: Served, encoding: str, packed: Callable[[bytes], bytes]) -> None:
    headers = {"content_encoding": encoding} if encoding else {}
    assert collector.post(packed(json.dumps(beacon()).encode()), **headers).status == 202


def test_a_beacon_that_comes_twice_counts_once(collector: Served) -> None:
    sent = beacon(view(ended=True, phases={"total": 1.5}))
    assert [collector.post(sent).status for _ in range(3)] == [202, 202, 202]
    assert len(collector.kept.arrivals) == 1
    assert collector.metric("beacons_total", outcome="accepted") == 1
    assert collector.metric("beacons_total", outcome="duplicate") == 2
    assert collector.metric("page_load_time_seconds_count", app="shop") == 1


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "not JSON"),
        (b"hello", 400, "not JSON"),
        (b'{"id": "\xff\xfe"}', 400, "not JSON"),
        (b"[1, 2]", 422, "Expected `object`, got `array`"),
        (b"[" * 60_000, 422, "Expected `object`, got `array`"),
        (b'{"zz":' + b"[" * 60_000, 400, "nested too deeply"),
        (beacon(app=None), 422, "Expected `str`, got `null`"),
        (beacon(app="nobody"), 404, "there is no app 'nobody'"),
        (beacon(sent_at=-1), 422, "Expected `float` >= 0.0"),
        (beacon(view(url="x" * 4_001)), 422, "length <= 4000"),
        (beacon(*[view() for _ in range(51)]), 422, "length <= 50"),
        (beacon(view(type="teleport")), 422, "Invalid enum value 'teleport'"),
        (beacon(view(trace="javascript:alert(1)")), 422, "matching regex"),
    ],
)
def test_what_is_wrong_with_a_beacon_is_told(collector: Served, body: object, status: int, told: str) -> None:
    answer = collector.post(body)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert told in answer.json()["error"]
    assert not collector.kept.arrivals
    assert collector.metric("beacons_total", outcome="refused") == 1


def test_the_field_that_is_wrong_is_named(collector: Served) -> None:
    answer = collector.post(beacon(view(vitals=[{"name": "lcp", "id": "v", "value": "fast"}])))
    assert answer.json()["field"] == "views[0].vitals[0].value"
    assert answer.json()["error"] == "Expected `float`, got `str`"
    assert "docs/collector.md" in answer.json()["fix"]


def test_more_than_64_kib_are_refused(collector: Served) -> None:
    assert collector.post(beacon(padding="x" * 65_000)).status == 202
    assert collector.post(beacon(padding="x" * 66_000)).status == 413
    assert collector.metric("collector_refused_total", reason="too_large") == 1


def test_a_body_without_a_length_is_counted_as_it_comes(collector: Served) -> None:
    connection = HTTPConnection("127.0.0.1", collector.port, timeout=20)
    connection.request("POST", "/v1/views", iter([b"x" * 10_000] * 10), {"origin": SHOP}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.long
def test_a_bomb_is_inflated_no_further_than_allowed(collector: Served) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 65_536
    answer = collector.post(bomb, content_encoding="gzip")
    assert (answer.status, answer.json()["error"]) == (413, "the body has more than 262144 bytes once it is inflated")
    assert collector.post(b"no gzip", content_encoding="gzip").json()["field"] == "content-encoding"
    assert collector.post(bomb[:50], content_encoding="gzip").json()["error"] == "the compressed body ends too early"
    assert collector.post(b"x", content_encoding="br").status == 415
    # Another member behind the first one would be stored unseen, and be a bomb for whoever reads it.
    two = gzip.compress(json.dumps(beacon()).encode()) + gzip.compress(b" " * 5_000_000)
    for rest in (two, gzip.compress(b"{}") + b"\0", zlib.compress(b"{}") + b"x"):
        answer = collector.post(rest, content_encoding="gzip")
        assert (answer.status, answer.json()["error"]) == (400, "something follows the end of the compressed body")


def test_a_key_is_asked_for_where_the_app_has_one(collector: Served) -> None:
    def send(**fields: str) -> int:
        return collector.post(beacon(app="blog", **fields), origin="https://blog.example").status

    assert [send(), send(key="blog-key-2"), send(key="blog-key-1")] == [401, 401, 202]
    assert collector.newest.beacon.key == "", "the key is not stored"


def test_only_pages_of_the_app_may_send(collector: Served) -> None:
    assert collector.post(beacon(), origin="https://m.shop.example").status == 202
    for origin in (
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://.shop.example",
        "null",
    ):
        answer = collector.post(beacon(), origin=origin)
        assert answer.status == 403, origin
        assert answer.json()["field"] == "origin"
        assert "access-control-allow-origin" not in answer.headers
    other = collector.post(beacon(), origin="https://blog.example")
    assert (other.status, other.json()["fix"]) == (403, "add it to the origins of the app")
    assert "access-control-allow-origin" not in other.headers


def test_browsers_may_read_every_answer_of_an_allowed_origin(collector: Served) -> None:
    for content, status in ((beacon(), 202), (b"x", 400), (beacon(app="nobody"), 404), (b"x" * 70_000, 413), (b"", 400)):
        answer = collector.post(content)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, SHOP)
        assert answer.headers["vary"] == "origin"


def test_a_preflight_is_answered(collector: Served) -> None:
    answer = collector.request("OPTIONS", "/v1/views", origin=SHOP, access_control_request_method="POST")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, SHOP)
    assert answer.headers["access-control-max-age"] == "7200"
    assert "content-encoding" in answer.headers["access-control-allow-headers"]
    stranger = collector.request("OPTIONS", "/v1/views", origin="https://evil.example")
    assert "access-control-allow-origin" not in stranger.headers
    get = collector.request("GET", "/v1/views", origin=SHOP)
    assert (get.status, get.headers["allow"]) == (405, "POST, OPTIONS")


def test_too_much_from_one_network_has_to_wait(served: Callable[..., Served]) -> None:
    collector = served("trusted_proxies = ['127.0.0.1']\n[[apps]]\nname='shop'\norigins=['*']\nrate=0.1\nburst=3\n")

    def send(forwarded: str) -> int:
        return collector.post(beacon(), x_forwarded_for=forwarded).status

    assert [send(f"192.0.2.{host}") for host in range(5)] == [202, 202, 202, 429, 429]
    assert [send("198.51.100.1"), send("192.0.2.9, 198.51.100.77"), send("2001:db8:1::1")] == [202, 202, 202]
    answer = collector.post(beacon(), x_forwarded_for="192.0.2.200")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.headers["access-control-allow-origin"] == SHOP


def test_nobody_but_a_trusted_proxy_is_believed_whom_it_sends_for(served: Callable[..., Served]) -> None:
    collector = served("[[apps]]\nname='shop'\norigins=['*']\nrate=0.1\nburst=2\n")
    assert [collector.post(beacon(), x_forwarded_for=f"10.{host}.0.1").status for host in range(3)] == [202, 202, 429]


@pytest.mark.parametrize("trouble", [StoreDown("the database is locked"), Busy("the queue is full")])
def test_a_beacon_that_cannot_be_stored_is_not_acknowledged(collector: Served, trouble: Exception) -> None:
    collector.kept.trouble = trouble
    answer = collector.post(beacon(view(phases={"total": 1.0})))
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["access-control-allow-origin"] == SHOP
    answer = collector.request("GET", "/readyz")
    assert (answer.status, answer.body) == (503, b'{"error":"the database cannot be used; the log says why"}')
    assert collector.metric("beacons_total", outcome="unavailable") == 1
    assert collector.metric("page_load_time_seconds_count") == 0
    collector.kept.trouble = None
    assert collector.post(beacon()).status == 202
    assert collector.request("GET", "/readyz").body == b"ok\n"


def test_a_beacon_that_the_store_will_never_take_is_refused_for_good(collector: Served) -> None:
    collector.kept.trouble = Unstorable("the database rejected a value")
    assert collector.post(beacon()).status == 422
    assert collector.request("GET", "/readyz").status == 200


def test_programs_are_told_from_people(collector: Served) -> None:
    journey = {"journey": "buy", "run": "0190a1b2-0000-7000-8000-000000000002"}
    for fields, agent in (
        ({}, CHROME),
        ({"webdriver": True}, CHROME),
        ({}, "Googlebot/2.1 (+http://www.google.com/bot.html)"),
        ({"webdriver": True, "synthetic": journey}, CHROME),
    ):
        assert collector.post(beacon(view(phases={"total": 1.0}), **fields), user_agent=agent).status == 202
    assert [one.traffic for one in collector.kept.arrivals] == ["real", "bot", "bot", "synthetic"]
    assert collector.metric("page_load_time_seconds_count") == 1
    assert [collector.metric("page_views_total", traffic=one) for one in ("real", "bot", "synthetic")] == [1, 2, 1]


def test_nothing_private_is_stored(collector: Served) -> None:
    secret = "s3cret"
    address = f"https://ann:{secret}@shop.example/cart?token={secret}&page=2#{secret}"
    page = view(
        url=address,
        referrer=address,
        title=f"Cart of {secret}@shop.example",
        vitals=[{"name": "lcp", "id": "v", "value": 1.0, "attribution": {"url": address, "element": "#main>img"}}],
        errors=[
            {
                "kind": "error",
                "message": f"no {address} for {secret}@shop.example",
                "stack": f"at f ({address}:1:2)",
                "source": address,
            }
        ],
        requests=[{"url": address}],
        interactions=[{"type": "click", "role": "button", "name": f"Sign out {secret}@shop.example"}],
    )
    assert collector.post(beacon(page)).status == 202
    stored = collector.newest
    assert secret not in str(stored)
    assert stored.beacon.views[0].url == "https://shop.example/cart?page=2"
    assert stored.beacon.views[0].errors[0].stack == "at f (https://shop.example/cart?page=2:1:2)"
    assert "127.0.0" not in str(stored), "not even the network"


def test_a_text_with_the_character_nul_can_be_stored_everywhere(collector: Served) -> None:
    assert collector.post(beacon(view(title="a\0b"), release="\0")).status == 202
    assert "\0" not in str(collector.newest)


def test_the_path_can_be_chosen(served: Callable[..., Served]) -> None:
    collector = served("collector_path = '/t/in'\n" + "[[apps]]\nname='shop'\norigins=['*']\n")
    assert collector.post(beacon(), "/t/in").status == 202
    assert collector.post(beacon()).status == 404


def test_an_app_can_be_open_to_every_page(served: Callable[..., Served]) -> None:
    collector = served("[[apps]]\nname='shop'\norigins=['*']\n")
    for origin in ("https://anyone.example", "null", "a\tb", "\xe4\xff"):
        answer = collector.post(beacon(), origin=origin)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (202, origin)


def test_without_apps_any_page_of_this_machine_may_send(served: Callable[..., Served]) -> None:
    collector = served("")
    for origin in ("http://localhost:3000", "http://127.0.0.1:8000", "http://[::1]:80", "https://shop.localhost"):
        assert collector.post(beacon(app="anything"), origin=origin).status == 202
    for origin in ("https://shop.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "null"):
        answer = collector.post(beacon(app="anything"), origin=origin)
        assert (answer.status, "[[apps]]" in answer.json()["fix"]) == (403, True)
    statuses = [collector.post(beacon(app=f"app-{number}"), origin="").status for number in range(30)]
    assert statuses == [202] * 19 + [404] * 11


def test_checked_names_the_error_as_a_refusal() -> None:
    with pytest.raises(Refusal, match="not JSON"):
        parse_beacon(b"{")


def test_a_beacon_is_charged_by_its_inflated_bytes(served: Callable[..., Served]) -> None:
    app = f"[[apps]]\nname = 'shop'\norigins = ['{SHOP}']\nrate = 0.001\nburst = 60\n"
    collector = served(app)
    texts = [{"kind": "error", "message": "x", "stack": f"{number} " + "a@b.c " * 1300} for number in range(28)]
    large = gzip.compress(json.dumps(beacon(view(errors=texts))).encode())
    assert len(large) < 3_000
    assert collector.post(large).status == 202
    assert "a@b.c" not in str(collector.newest)
    assert collector.post(large).status == 429
    # It has used up 54 of 60.
    assert [collector.post(beacon()).status for _ in range(8)].count(202) in {5, 6, 7}


@pytest.mark.parametrize("name", ["id", "session", "app"])
def test_an_id_does_not_end_in_a_line_break(collector: Served, name: str) -> None:
    sent = beacon()
    answer = collector.post({**sent, name: f"{sent[name]}\n"})
    assert (answer.status, answer.json()["field"]) == (422, name)


@pytest.mark.long
def test_bombs_cost_their_network_its_allowance_whatever_they_claim_to_be(served: Callable[..., Served]) -> None:
    collector = served(f"[[apps]]\nname = 'shop'\norigins = ['{SHOP}']\nrate = 0.001\nburst = 10\n")
    bomb = gzip.compress(b" " * 50_000_000)
    statuses = [collector.post(bomb, content_encoding="gzip").status for _ in range(5)]
    # Each is inflated to 256 KiB and counts as five: two, and the one that overdraws.
    assert statuses == [413, 413, 413, 429, 429]
    assert collector.post(beacon()).status == 202, "what is small is not kept out by it"


def test_large_bodies_that_never_end_take_no_more_memory_than_there_is_for_them() -> None:
    room = BodyRoom(total=4_000_000, share=4)

    async def send(network: str, size: int) -> bytes:
        pieces = [b"x" * 65_536] * (size // 65_536)
        messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        waiting = iter([*messages, {"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, object]:
            await asyncio.to_thread(list)
            return next(waiting)

        with room.reserve(network) as take:
            return await read_body(receive, b"", Limits(raw=1_048_576), take)

    async def all_at_once() -> list[bytes | BaseException]:
        one = [send("192.0.2.0/24", 1_048_576) for _ in range(50)]
        others = [send("198.51.100.0/24", 524_288), *(send("192.0.2.0/24", 65_536) for _ in range(20))]
        return await asyncio.gather(*one, *others, return_exceptions=True)

    ended = asyncio.run(all_at_once())
    refused = [one for one in ended[:50] if isinstance(one, Refusal)]
    assert len(refused) > 45
    assert {(one.status, one.retry_after > 0) for one in refused} == {(503, True)}
    assert [len(one) for one in ended[50:] if isinstance(one, bytes)] == [524_288] + [65_536] * 20
    assert room.taken == 0


def test_few_large_bodies_are_inflated_at_a_time() -> None:
    metrics = CollectorMetrics()
    intake = Intake(AppRegistry(), Kept(), metrics, ClientNetworks())
    inside = most = 0

    async def one() -> None:
        nonlocal inside, most
        async with intake.large_body("192.0.2.0/24") as charge:
            inside += 1
            most = max(most, inside)
            for _ in range(5):
                await asyncio.to_thread(list)
            charge(65_536)
            inside -= 1

    async def many() -> list[BaseException | None]:
        return await asyncio.gather(*(one() for _ in range(200)), return_exceptions=True)

    ended = asyncio.run(many())
    assert most == AT_ONCE
    # 200 tokens, of which each takes two, and what comes in meanwhile; then they are refused.
    assert 0 < sum(1 for error in ended if isinstance(error, Refusal)) < 100
