"""Pages are called by few names, and never by the things on them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.collector.labels import OTHER
from reports.collector.privacy.route_template import DEEPEST, KNOWN, RouteTemplates, is_id, route_template

SEGMENT = st.text(st.characters(codec="utf-8", exclude_characters="/?#;"), max_size=60)
PATHS = st.lists(SEGMENT, max_size=12).map(lambda parts: "/" + "/".join(parts))
RULES = st.lists(
    st.lists(st.sampled_from(["item", "user", ":slug", ":name", "edit"]), min_size=1, max_size=4).map(
        lambda parts: "/" + "/".join(parts)
    )
    | st.sampled_from(["/docs/*", "/*", "/"]),
    max_size=4,
)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://shop.example", "/"),
        ("https://shop.example/item/sencha?x=1#y", "/item/sencha"),
        ("/item/42", "/item/:id"),
        ("/order/5f0c2c1e-9f4e-4b6e-9b57-2f1d3c4e5a6b/items", "/order/:id/items"),
        ("/commit/9f86d08", "/commit/:id"),
        ("/blog/2024-05-01", "/blog/:id"),
        ("/2024/05/01/how-to-make-tea", "/:id/:id/:id/how-to-make-tea"),
        ("/blog/blue-teapot-12345", "/blog/:id"),
        ("/watch/dQw4w9WgXcQ", "/watch/:id"),
        ("/file/aGVsbG8gd29ybGQ=", "/file/:id"),
        ("/user/ann@mail.example", "/user/:id"),
        ("/user/ann%40mail.example", "/user/:id"),
        ("/v1/users/", "/v1/users"),
        ("/page2/en-US/GetStarted/index.html", "/page2/en-US/GetStarted/index.html"),
        ("/%D1%87%D0%B0%D0%B9/чай", "/чай/чай"),
        ("/%ff%fe", "/:id"),
        ("/" + "x/" * 20, "/x/x/x/x/x/x/x/x/*"),
        ("/" + "long-words-" * 10, "/:id"),
    ],
)
def test_ids_are_left_out_of_a_pages_name(address: str, name: str) -> None:
    assert route_template(address) == name


def test_the_apps_own_rules_go_first() -> None:
    rules = ["/item/new", "/item/:slug", "/docs/*"]
    assert [route_template(one, rules) for one in ("/item/new", "/item/sencha?x", "/item/1/2", "/docs/a/b/c", "/docs")] == [
        "/item/new",
        "/item/:slug",
        "/item/:id/:id",
        "/docs/*",
        "/docs/*",
    ]


@given(PATHS, RULES)
def test_a_name_is_its_own_name(path: str, rules: list[str]) -> None:
    once = route_template(path, rules)
    assert route_template(once, rules) == once


@given(PATHS)
def test_a_name_is_short_and_holds_nothing_like_an_id(path: str) -> None:
    segments = [one for one in route_template(path).split("/") if one]
    assert len(segments) <= DEEPEST + 1
    assert not [one for one in segments if one not in {":id", "*"} and is_id(one)]
    assert not [one for one in segments if len(one) > 40]


@pytest.mark.long
@given(st.integers(min_value=0), st.uuids(), st.binary(min_size=8, max_size=32), st.emails())
def test_no_id_is_ever_kept(number: int, uuid: object, hashed: bytes, mail: str) -> None:
    import base64

    ids = [str(number), str(uuid), str(uuid).upper(), hashed.hex()]
    for one in ids:
        assert route_template(f"/thing/{one}/edit") == "/thing/:id/edit"
    assert mail not in route_template(f"/thing/{mail.replace('/', '')}")
    encoded = base64.urlsafe_b64encode(hashed).decode()
    if encoded.endswith("="):
        assert route_template(f"/thing/{encoded}") == "/thing/:id"


@given(st.lists(PATHS, max_size=60), st.integers(min_value=1, max_value=10))
def test_there_are_never_more_names_than_allowed(paths: list[str], limit: int) -> None:
    templates = RouteTemplates(("/item/:slug",), limit)
    names = {templates.of(path) for path in [*paths, "/item/x"]}
    assert len(names - {OTHER, "/item/:slug"}) <= limit
    assert "/item/:slug" in names, "a rule's page always has its name"


def test_a_page_that_had_a_name_keeps_it_when_there_are_too_many() -> None:
    templates = RouteTemplates((), 3)
    names = [templates.of(f"/{word}") for word in ("a", "b", "c", "d", "e", "a")]
    assert names == ["/a", "/b", "/c", OTHER, OTHER, "/a"]


def test_templates_hold_no_control_characters() -> None:
    assert not re.search(r"[\x00-\x1f\"\\{}]", route_template('/a%00b/c\nd/{x}/"y"/\\z'))


def test_invented_paths_do_not_keep_real_ones_from_being_remembered() -> None:
    templates = RouteTemplates()
    for number in range(KNOWN + 1):
        templates.of(f"/{'x' * 50}{number}")
    templates.of("/cart")
    assert "/cart" in templates._known
    assert len(templates._known) <= KNOWN
