"""Maps: what is kept, which one explains a script, and how much a map may cost."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.source_maps import map_store
from reports.source_maps.map_store import MapAbout, MapRejected, MapStore, StoredMap, check_map, unpack
from reports.source_maps.matching import choose_map
from reports.source_maps.resolver import Lookup, Resolved, look_up, resolve
from reports.source_maps.retention import DAY, prune_maps
from reports.source_maps.stack import ScriptFrame, parse_stack
from runner.store import Store
from tests.reports.source_maps.built import PAY, SOURCES, make_map, shop_map
from tests.support.needs import needs

AT = 1_780_000_000.0


@pytest.fixture
def maps(tmp_path: Path) -> Iterator[MapStore]:
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as store:
        yield MapStore(store, tmp_path / "maps")


def kept(script: str, app: str = "", checksum: str = "1") -> StoredMap:
    return StoredMap(app=app, release="1", script=script, debug_id="", checksum=checksum, bytes=1, uploaded_at=AT, who="")


def packed(tmp_path: Path, content: bytes) -> str:
    file = tmp_path / "a.map.gz"
    file.write_bytes(gzip.compress(content))
    return str(file)


@needs("real_time")
def look_up_apart(*lookups: Lookup) -> list[Resolved]:
    return look_up(lookups)


def test_the_same_map_is_kept_once_and_another_replaces_it(maps: MapStore) -> None:
    about = MapAbout(release="1.0", script="../../etc/passwd")
    assert maps.put(about, shop_map(), "ada", AT)
    assert not maps.put(about, shop_map(), "ada", AT + 1)
    assert maps.put(MapAbout(release="1.1", script="app.js"), shop_map(), "ada", AT)
    (file,) = maps.folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert maps.put(about, shop_map(shift=1), "ada", AT + 2)
    assert [(one.release, one.uploaded_at) for one in maps.list()] == [("1.0", AT + 2), ("1.1", AT)]
    assert maps.remove("1.0") == 1
    assert list(maps.folder.iterdir()) == [file], "the other release still has it"
    assert maps.remove("1.1") == 1
    assert list(maps.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (b"<!doctype html>", "not a source map"),
        (b'{"version": 3}', "`mappings` or `sections`"),
        (b'{"version": 2, "mappings": ""}', "version 3"),
        (b"[" * 100_000, "not a source map"),
        (b'{"version": 3, "mappings": 5}', r"not a source map: Expected `str`, got `int` - at `\$.mappings`"),
        (b'{"version": 3, "mappings": "AAAA", "sources": [5]}', r"not a source map: Expected `str \| null`, got `int`"),
        (b'{"version": 3, "mappings": ' + b"[" * 100_000, "not a source map"),
    ],
)
def test_what_is_not_a_map_is_not_kept(maps: MapStore, content: bytes, trouble: str) -> None:
    with pytest.raises(MapRejected, match=trouble):
        maps.put(MapAbout(release="1", script="app.js"), content, "ada", AT)
    assert maps.list() == []
    assert not maps.folder.exists()


def test_a_release_has_room_for_so_many_maps(maps: MapStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_store, "MOST", 1)
    maps.put(MapAbout(release="1", script="a.js"), shop_map(), "ada", AT)
    with pytest.raises(MapRejected, match="at most 1 "):
        maps.put(MapAbout(release="1", script="b.js"), shop_map(), "ada", AT)
    monkeypatch.setattr(map_store, "LARGEST", 100)
    with pytest.raises(MapRejected, match="at most 100 "):
        maps.put(MapAbout(release="2", script="b.js"), shop_map(), "ada", AT)
    with pytest.raises(MapRejected, match="more than 100 bytes"):
        unpack(gzip.compress(b" " * 1_000_000))


def test_all_releases_together_have_a_bound_and_the_refusal_names_the_setting(maps: MapStore, tmp_path: Path) -> None:
    size = len(shop_map())
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as store:
        bounded = MapStore(store, maps.folder, 2 * size)
        for release in ("1", "2"):
            assert bounded.put(MapAbout(release=release, script="a.js"), shop_map(), "ada", AT)
        with pytest.raises(MapRejected, match="keep_source_maps_size"):
            bounded.put(MapAbout(release="3", script="a.js"), shop_map(), "ada", AT)
        other = shop_map() + b"\n"
        with pytest.raises(MapRejected, match="keep_source_maps_size"):
            bounded.put(MapAbout(release="2", script="a.js"), other, "ada", AT)
        assert [(one.release, one.bytes) for one in bounded.list()] == [("1", size), ("2", size)], "nothing was removed for it"
        bounded.remove("1")
        assert bounded.put(MapAbout(release="2", script="a.js"), other, "ada", AT), "it replaces the one of the same script"


def test_a_debug_id_is_read_in_both_spellings() -> None:
    id_ = "85314830-023f-4cf1-a267-535f4e37bb17"
    assert check_map(shop_map(debugId=id_.upper())) == check_map(shop_map(debug_id=id_)) == id_
    assert check_map(shop_map(debugId="../../x")) == ""


@pytest.mark.parametrize(
    ("address", "scripts", "chosen"),
    [
        ("https://shop.example/assets/app.js?v=1", ["app.js", "dist/assets/app.js", "dist/other/app.js"], "dist/assets/app.js"),
        ("https://cdn.example/shop/v2/app.js", ["app.js"], "app.js"),
        ("https://shop.example/app.js", ["dist/app.js"], "dist/app.js"),
        ("https://shop.example/web/assets/app.js", ["dist/assets/app.js", "dist/admin/app.js"], "dist/assets/app.js"),
        ("https://shop.example/application.js", ["app.js", "on.js"], None),
        ("https://shop.example/", ["app.js", ""], None),
        ("https://[broken/app.js", ["app.js"], None),
    ],
)
def test_the_map_of_the_longest_path_explains_a_script(address: str, scripts: list[str], chosen: str | None) -> None:
    found = choose_map(address, [kept(one, checksum=one) for one in scripts])
    assert (found.script if found else None) == chosen


def test_of_maps_that_fit_equally_the_apps_own_is_chosen_or_none() -> None:
    address = "https://shop.example/assets/app.js"
    own, of_any = kept("app.js", "shop", "1"), kept("app.js", "", "2")
    assert choose_map(address, [of_any, own]) == own
    two = [kept("a/app.js", checksum="1"), kept("b/app.js", checksum="2")]
    assert choose_map("https://shop.example/app.js", two) is None, "a wrong map would be worse"


def test_places_are_looked_up_in_maps_with_sections(tmp_path: Path) -> None:
    section = json.loads(shop_map())
    indexed = {"version": 3, "sections": [{"offset": {"line": line, "column": 0}, "map": section} for line in (0, 4)]}
    answer = resolve(Lookup(packed(tmp_path, json.dumps(indexed).encode()), ((1, 205), (5, 205), (3, 1), (4_000_000, 1))))
    first, second, *_ = answer.places
    assert first == second
    assert first is not None
    assert (first.source, first.line, first.name, first.first_line) == (next(iter(SOURCES)), 4, "price", 1)
    assert first.code == tuple(PAY.splitlines())


def test_long_lines_are_cut_around_the_place(tmp_path: Path) -> None:
    line = "x" * 5_000 + "here" + "y" * 5_000
    content = make_map([(1, "a.js", 1, "")], {"a.js": f"{line}\n{line}"})
    (place,) = resolve(Lookup(packed(tmp_path, content), ((1, 3),))).places
    assert place is not None
    assert all(len(one) <= 202 for one in place.code)


@pytest.mark.thorough
def test_maps_that_are_broken_or_cost_too_much_are_answered_with_their_trouble_and_the_others_go_on(tmp_path: Path) -> None:
    bomb = make_map(
        [(1, "a.js", 1, "")], {f"{number}.js": "" for number in range(3_000)} | {"a.js": ""}, sourceRoot="/x" * 500_000
    )
    contents = [bomb, b'{"version": 3, "sources": [], "mappings": "AAAA,gggggggggggggggB"}', b"no map", shop_map()]
    lookups = []
    for number, content in enumerate(contents):
        file = tmp_path / f"{number}.map.gz"
        file.write_bytes(gzip.compress(content))
        lookups.append(Lookup(str(file), ((1, 104),)))
    *bad, good = look_up_apart(*lookups[:3], Lookup(str(tmp_path / "gone"), ((1, 1),)), lookups[3])
    assert all(one.trouble and one.places == (None,) for one in bad), bad
    assert not good.trouble
    assert [one and one.line for one in good.places] == [2]


def test_a_stack_of_any_form_is_read_in_one_go() -> None:
    script = "https://shop.example/app.js"
    evaluated = f"eval (eval at run ({script}:3:4), <anonymous>:1:1)"
    chrome = (
        f"Error: at noon (really:1:2)\n    at new Order ({script}:1:20)\n    at async Promise.all (index 0)\n    at {evaluated}"
    )
    firefox = f"pay/<@{script}:1:20\n@{script}:2:3\nglobal code@[native code]"
    assert [(one.function, one.line, one.column) for one in parse_stack(chrome)] == [("Order", 1, 20)]
    assert parse_stack(firefox) == (ScriptFrame(script, 1, 20, "pay"), ScriptFrame(script, 2, 3))
    hostile = ["at " + "(" * 8_000, "@" * 8_000, "at " + ":1" * 4_000, "a@" + "/:1:1" * 1_600, "\n" * 8_000]
    assert [len(parse_stack(one)) for one in [*hostile, "at /:٣:١", "at /:9999999999:1"]] == [0] * 7


def test_maps_stay_while_their_release_is_reported(maps: MapStore, tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as store:
        for release in ("old", "reported", "new"):
            maps.put(MapAbout(release=release, script="app.js"), shop_map(), "ada", AT if release != "new" else AT + 40 * DAY)
        with store.connected() as connection:
            names = "app, page, traffic, environment, release, device, browser"
            connection.exec_driver_sql(
                f"INSERT INTO series (id, whole, seen_at, first_at, {names}) "
                f"VALUES (1, 1, {AT + 41 * DAY}, {AT}, 'shop', '', 'real', '', 'reported', 'desktop', 'Chrome')"
            )
        assert prune_maps(store, maps, 30 * DAY, AT + 42 * DAY) == 1
        assert {one.release for one in maps.list()} == {"reported", "new"}
        assert len(list(maps.folder.iterdir())) == 1
