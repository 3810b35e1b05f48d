"""Of a sender's address only its network is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.collector.admission.client_network import UNKNOWN_NETWORK, ClientNetworks
from reports.collector.admission.rate_limit import RateLimit
from runner.settings.sections.apps import App


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", UNKNOWN_NETWORK),
        ("unix", UNKNOWN_NETWORK),
    ],
)
def test_an_address_is_cut(peer: str, network: str) -> None:
    assert ClientNetworks().of(peer) == network
    assert ClientNetworks(["10.0.0.0/8"]).of(peer) == network


@pytest.mark.parametrize(
    ("forwarded", "network"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("1.2.3.4, 198.51.100.7", "198.51.100.0/24"),
        ("1.2.3.4, 198.51.100.7, 10.0.0.9", "198.51.100.0/24"),
        ("198.51.100.7:4711", "198.51.100.0/24"),
        ("[2001:db8::1]:4711", "2001:db8::/48"),
        ("10.0.0.8", "10.0.0.0/24"),
        ("1.2.3.4, nonsense", "10.0.0.0/24"),
        ("", "10.0.0.0/24"),
    ],
)
def test_the_last_address_that_is_no_trusted_proxy_counts(forwarded: str, network: str) -> None:
    assert ClientNetworks(["10.0.0.0/8"]).of("10.0.0.1", forwarded) == network


@pytest.mark.parametrize(
    ("lines", "network"),
    [
        ([b"1.2.3.4", b"198.51.100.7"], "198.51.100.0/24"),
        ([b"198.51.100.7", b"10.0.0.9"], "198.51.100.0/24"),
        ([b"1.2.3.4, 198.51.100.7", b"10.0.0.8", b"10.0.0.9"], "198.51.100.0/24"),
        ([b"198.51.100.7", b""], "10.0.0.0/24"),
        ([], "10.0.0.0/24"),
    ],
)
def test_the_lines_of_several_proxies_are_read_as_one_list(lines: list[bytes], network: str) -> None:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", one) for one in lines)]
    assert ClientNetworks(["10.0.0.0/8"]).of_request("10.0.0.1", headers) == network
    assert ClientNetworks().of_request("10.0.0.1", headers) == "10.0.0.0/24"


@given(st.text(max_size=60), st.text(max_size=120))
def test_any_text_is_a_network_or_unknown(peer: str, forwarded: str) -> None:
    assert ClientNetworks(["0.0.0.0/0", "::/0"]).of(peer, forwarded)


@given(st.ip_addresses())
def test_no_whole_address_is_ever_given(address: object) -> None:
    network = ClientNetworks(["127.0.0.1"]).of(str(address))
    assert network.endswith(("/24", "/48"))


def test_a_bucket_fills_again() -> None:
    app, buckets = App(name="shop", origins=("*",), rate=2.0, burst=3), RateLimit()
    assert [buckets.take(app, "a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.take(app, "b", 0.0) == 0.0
    assert [buckets.take(app, "a", 0.6), buckets.take(app, "a", 100.0)] == [0.0, 0.0]


def test_a_large_message_takes_as_many_tokens_as_it_has_work_and_never_more_than_there_can_be() -> None:
    app, buckets = App(name="shop", origins=("*",), rate=2.0, burst=10), RateLimit()
    assert [buckets.take(app, "a", 0.0, tokens) for tokens in (7, 4, 3)] == [0.0, 0.5, 0.0]
    assert buckets.take(app, "b", 0.0, 1000) == 0.0
    assert buckets.take(app, "b", 0.0, 1000) == 5.0


def test_no_more_buckets_are_kept_than_allowed() -> None:
    app, buckets = App(name="shop", origins=("*",)), RateLimit(kept=10)
    for number in range(1000):
        assert buckets.take(app, str(number), 0.0) == 0.0
    assert len(buckets) == 10
