"""Which addresses runs on demand may be made against."""

import pytest

from runner.settings.parsers.addresses.base_urls import is_allowed_base_url, parse_base_url_patterns

PATTERNS = parse_base_url_patterns(
    ["https://*.staging.shop.example", "http://127.0.0.1:8000/shop/", "http://[::1]:9000", "https://pr-*.preview.example"]
)


@pytest.mark.parametrize("address", [
    "https://a.staging.shop.example", "https://A.Staging.Shop.Example/", "https://a.staging.shop.example:443/checkout",
    "http://127.0.0.1:8000/shop", "http://127.0.0.1:8000/shop/cart", "http://[::1]:9000/", "https://pr-12.preview.example",
])  # fmt: skip
def test_an_address_of_a_pattern_or_below_it_is_allowed(address: str) -> None:
    assert is_allowed_base_url(address, PATTERNS)


@pytest.mark.parametrize("address", [
    "", "a.staging.shop.example", "ftp://a.staging.shop.example", "http://a.staging.shop.example", "file:///etc/passwd",
    "javascript:alert(1)", "https://staging.shop.example", "https://a.b.staging.shop.example", "https://a.staging.shop.example:8443",
    "https://a.staging.shop.example.evil.example", "https://evil.example/a.staging.shop.example", "https://.staging.shop.example",
    "https://evil.example#.staging.shop.example", "https://evil.example?.staging.shop.example", "https://a.staging.shop.example?x=1",
    "https://user@a.staging.shop.example", "https://a.staging.shop.example@evil.example", "https://a.staging.shop.example:x@evil.example",
    "https://evil.example\\.staging.shop.example", "https://evil.example/\\@a.staging.shop.example", "https://evil.example%2f.staging.shop.example",
    "https://a.staging.shop.example\n", " https://a.staging.shop.example", "https://a\u3002staging.shop.example", "https://\u0430.staging.shop.example",
    "http://127.0.0.1:8000", "http://127.0.0.1:8000/shopping", "http://127.0.0.1:8000/shop/../admin", "http://127.0.0.1:8000/shop/%2e%2e/admin",
    "http://127.0.0.1/shop", "http://2130706433:8000/shop", "http://127.1:8000/shop", "http://localhost:8000/shop", "http://169.254.169.254/",
    "http://10.0.0.1", "http://[::1]:9001", "http://[::ffff:127.0.0.1]:9000", "https://pr-1.evil.example", "https://xpr-1.preview.example",
])  # fmt: skip
def test_every_other_address_is_not(address: str) -> None:
    assert not is_allowed_base_url(address, PATTERNS)
    assert not is_allowed_base_url("https://a.staging.shop.example", ())


@pytest.mark.parametrize("pattern", [
    "https://*", "https://*.example", "https://shop.*", "*://shop.example", "https://shop.example/*", "https://a@shop.example",
    "https://shop.example?x", "https://shop.example#x", "ftp://shop.example", "https://sh\u00f6p.shop.example", 7,
])  # fmt: skip
def test_a_pattern_that_says_too_little_is_refused(pattern: object) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_base_url_patterns([pattern])


def test_patterns_of_the_environment_are_separated_by_spaces() -> None:
    assert parse_base_url_patterns("https://a.example https://b.example") == ("https://a.example", "https://b.example")
    with pytest.raises(ValueError, match="not a list"):
        parse_base_url_patterns(7)
