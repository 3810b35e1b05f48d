"""`journey sourcemaps`: finding the maps of a build, and keeping them on this machine."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.source_maps.build_files import find_maps
from runner.errors import ConfigError
from tests.reports.source_maps.built import shop_map
from tests.reports.web.test_access import WITH_TOKEN
from tests.support.commands import Ended, run_here
from tests.support.services.dashboard import TOKEN, Visited

ID = "85314830-023f-4cf1-a267-535f4e37bb17"


def journey(folder: Path, *words: str, token: str = "") -> Ended:
    return run_here(folder, words, {"JOURNEY_SERVE_TOKEN": token} if token else {})


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build: a map that the script names, one beside its script, one inside, and what is no map of a script."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "maps").mkdir()
    (folder / "node_modules" / "x").mkdir(parents=True)
    (folder / "assets" / "app.1a2b.js").write_text(f"a()\n//# debugId={ID}\n//# sourceMappingURL=../maps/7.map\n")
    (folder / "maps" / "7.map").write_bytes(shop_map())
    (folder / "vendor.js").write_text("b()\n")
    (folder / "vendor.js.map").write_bytes(shop_map(shift=1))
    inside = base64.b64encode(shop_map(shift=2, noise="x" * 100_000)).decode()
    (folder / "page.mjs").write_text(f"c()\n//# sourceMappingURL=data:application/json;base64,{inside}\n")
    (folder / "style.css.map").write_text("{}")
    (folder / "node_modules" / "x" / "x.js.map").write_bytes(shop_map())
    return folder


def test_each_map_is_found_with_its_script_and_debug_id(build: Path) -> None:
    found = {one.script: one for one in find_maps([build])}
    assert found.keys() == {"assets/app.1a2b.js", "vendor.js", "page.mjs"}
    assert (found["assets/app.1a2b.js"].debug_id, found["vendor.js"].debug_id) == (ID, "")
    assert found["vendor.js"].content == shop_map(shift=1)
    (alone,) = find_maps([build / "vendor.js.map"])
    assert alone.script == "vendor.js"


def test_a_script_does_not_make_it_read_files_elsewhere(build: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.map").write_bytes(shop_map(shift=9))
    (build / "evil.js").write_text("e()\n//# sourceMappingURL=../outside.map\n")
    (build / "web.js").write_text("e()\n//# sourceMappingURL=http://127.0.0.1:9/web.js.map\n")
    assert {one.script for one in find_maps([build])} == {"assets/app.1a2b.js", "vendor.js", "page.mjs"}


def test_files_of_two_builds_are_noticed(build: Path) -> None:
    (build / "maps" / "7.map").write_bytes(shop_map(debugId=ID.replace("8", "9")))
    with pytest.raises(ConfigError, match="different builds"):
        list(find_maps([build]))


@pytest.mark.long
def test_maps_are_kept_listed_and_removed_on_this_machine(build: Path, tmp_path: Path) -> None:
    ended = journey(tmp_path, "sourcemaps", "upload", "dist", "--release", "1.0")
    assert ended.stdout.splitlines()[-1] == "3 source maps of release 1.0, 3 new", ended.stderr
    assert "vendor.js: was there already" in journey(tmp_path, "sourcemaps", "upload", "dist", "--release", "1.0").stdout
    assert journey(tmp_path, "sourcemaps", "list").stdout.startswith("1.0  3 maps, ")
    assert "assets/app.1a2b.js" in journey(tmp_path, "sourcemaps", "list", "--release", "1.0").stdout
    assert journey(tmp_path, "sourcemaps", "remove", "--release", "1.0").stdout == "removed 3 source maps of release 1.0\n"
    assert journey(tmp_path, "sourcemaps", "list").stdout == "no source maps are kept\n"
    assert list((tmp_path / "runs" / "source-maps").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["upload", "dist"], "--release is missing"),
        (["upload", "gone", "--release", "1"], "neither a file nor a folder"),
        (["upload", "dist/node_modules/x/..", "--release", "1"], "no source map is in"),
        (["upload", "dist/style.css.map", "--release", "1"], "not a source map"),
        (["remove", "--release", "9"], "no source map of release 9"),
        (["upload", "dist", "--release", "1", "--to", "monitor.example"], "such as https://"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(build: Path, tmp_path: Path, words: list[str], why: str) -> None:
    (build / "node_modules" / "x" / "x.js.map").unlink()
    ended = journey(tmp_path, "sourcemaps", *words)
    assert ended.returncode == 2
    assert why in ended.stderr


@pytest.mark.long
def test_a_dashboard_elsewhere_gets_them(build: Path, tmp_path: Path, dashboard: Callable[..., Visited]) -> None:
    served = dashboard(WITH_TOKEN)
    to = ["--to", served.address]
    ended = journey(tmp_path, "sourcemaps", "upload", "dist", "--release", "1.0", "--app", "shop", *to, token=TOKEN)
    assert ended.stdout.splitlines()[-1] == "3 source maps of release 1.0, 3 new", ended.stderr
    assert "1.0  app shop  3 maps" in journey(tmp_path, "sourcemaps", "list", *to, token=TOKEN).stdout
    assert "removed 3" in journey(tmp_path, "sourcemaps", "remove", "--release", "1.0", *to, token=TOKEN).stdout
    open_to_all = ["--to", dashboard().address]
    assert "3 new" in journey(tmp_path, "sourcemaps", "upload", "dist", "--release", "1.0", *open_to_all).stdout
    refused = journey(tmp_path, "sourcemaps", "list", *to)
    assert (refused.returncode, "answered 401" in refused.stderr) == (3, True)
