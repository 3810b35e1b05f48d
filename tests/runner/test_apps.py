"""The apps in the configuration, and mistakes in them."""

import re
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.settings.sections.apps import App


def test_an_app_is_a_table_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(
        "[[apps]]\nname = 'shop'\norigins = ['https://Shop.example', 'https://*.shop.example:8443']\nkey = 'shop-key-1'\n"
        "routes = ['/', '/item/:slug', '/docs/*']\nquery_keys = ['page']\nrate = 5\nburst = 10\n"
        "[[apps]]\nname = 'blog'\norigins = ['*']\n"
    )
    assert load_settings(tmp_path, {}, {}).apps == (
        App(
            name="shop",
            origins=("https://shop.example", "https://*.shop.example:8443"),
            key="shop-key-1",
            routes=("/", "/item/:slug", "/docs/*"),
            query_keys=("page",),
            rate=5.0,
            burst=10,
        ),
        App(name="blog", origins=("*",)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apps = 'shop'", "apps: 'shop' is not a list of apps; write [[apps]] tables"),
        ("apps = [1]", "apps: 1 is not a table"),
        ("[[apps]]\nname = 'shop'", "name and origins are required; keys are name, origins, key"),
        ("[[apps]]\nname = 'shop'\norigins = ['*']\ncolour = 1", "unknown: colour; keys are name, origins, key"),
        ("[[apps]]\nname = 'tea shop'\norigins = ['*']", "name: 'tea shop' is not a name"),
        ("[[apps]]\nname = 'shop'\norigins = []", "app shop: origins: the list is empty"),
        ("[[apps]]\nname = 'shop'\norigins = ['shop.example']", "'shop.example' is not an origin; write scheme, host and port"),
        ("[[apps]]\nname = 'shop'\norigins = ['https://shop.example/']", "is not an origin"),
        ("[[apps]]\nname = 'shop'\norigins = ['*']\nkey = 'short'", "'short' is not a key; write 8 to 100"),
        (
            "[[apps]]\nname = 'shop'\norigins = ['*']\nroutes = ['item/:slug']",
            "'item/:slug' is not a route; write one such as '/item/:slug'",
        ),
        ("[[apps]]\nname = 'shop'\norigins = ['*']\nroutes = ['/item?x']", "'/item?x' is not a route"),
        ("[[apps]]\nname = 'shop'\norigins = ['*']\nquery_keys = 'page'", "'page' is not a list of texts"),
        ("[[apps]]\nname = 'shop'\norigins = ['*']\nrate = 0", "rate: 0 is not a rate"),
        ("[[apps]]\nname = 'shop'\norigins = ['*']\nburst = 1.5", "burst: 1.5 is not a number of beacons"),
        ("[[apps]]\nname = 'shop'\norigins = ['*']\n[[apps]]\nname = 'shop'\norigins = ['*']", "two apps are named 'shop'"),
        ("collector_path = 'views'", "collector_path: 'views' is not a path; write one such as '/v1/views'"),
        ("trusted_proxies = ['proxy.example']", "write addresses and networks such as ['127.0.0.1', '10.0.0.0/8']"),
        ("trusted_proxies = 5", "trusted_proxies: 5 is not a list of networks"),
        (
            "counted_traffic = ['people']",
            "counted_traffic: ['people'] is not a list of kinds of traffic; choose from real, bot, synthetic",
        ),
        ("serve_listen = '8321'", "serve_listen: '8321' is not an address to listen on"),
        ("max_pages = 0", "max_pages: 0 is too few"),
    ],
)
def test_a_mistake_names_file_key_and_fix(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "journey.toml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        load_settings(tmp_path, {}, {})
    assert str(error.value).startswith(str(tmp_path / "journey.toml"))


def test_lists_can_be_given_in_the_environment(tmp_path: Path) -> None:
    settings = load_settings(
        tmp_path, {}, {"JOURNEY_TRUSTED_PROXIES": "127.0.0.1 10.0.0.0/8", "JOURNEY_COUNTED_TRAFFIC": "real,bot"}
    )
    assert settings.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8")
    assert settings.counted_traffic == ("real", "bot")
