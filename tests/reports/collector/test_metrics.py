"""What Prometheus sees of real users."""

import subprocess
from collections.abc import Callable
from typing import ClassVar

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from reports.collector.labels import OTHER
from reports.collector.metrics.collector_metrics import LOAD_EDGES, PAGES, SHIFT_EDGES, VITAL_EDGES, CollectorMetrics
from reports.collector.metrics.families import Counter, Exemplar, Gauge, Histogram, format_families
from tests.support.services.collector import Served, beacon, view
from tests.support.services.servers import Prometheus
from tests.support.wait import wait_until


def read_plain(written: str) -> list[Metric]:
    return list(text_string_to_metric_families(written))


def read_openmetrics(written: str) -> list[Metric]:
    return list(openmetrics.text_string_to_metric_families(written))  # type: ignore[no-untyped-call]


NOW = "vital_settle = 0\n"


def vitals(**values: float) -> list[dict[str, object]]:
    return [{"name": name, "id": f"v6-{name}", "value": value} for name, value in values.items()]


def test_a_page_view_becomes_a_load_time_vitals_interactions_and_errors(collector: Served) -> None:
    told = view(
        phases={"ttfb": 0.1, "total": 0.9},
        vitals=vitals(lcp=2.4, cls=0.05),
        interactions=[{"type": "click"}, {"type": "click"}, {"type": "submit"}],
        interaction_counts={"click": 7},
        errors=[{"kind": "error", "message": "x", "count": 3}, {"kind": "csp", "message": "y"}],
        ended=True,
    )
    assert collector.post(beacon(told)).status == 202
    page = {"app": "shop", "page": "/item/:slug"}
    assert collector.metric("page_load_time_seconds_sum", **page) == 0.9
    assert collector.metric("page_load_time_seconds_bucket", **page, le="1.0") == 1
    assert collector.metric("web_vital_seconds_bucket", **page, vital="lcp", le="2.5") == 1
    assert collector.metric("layout_shift_score_bucket", **page, le="0.1") == 1
    assert collector.metric("user_interactions_total", app="shop", type="click") == 7, "more than are listed"
    assert collector.metric("user_interactions_total", app="shop", type="submit") == 1
    assert collector.metric("page_errors_total", app="shop") == 3
    assert collector.metric("browser_reports_total", app="shop", kind="csp") == 1
    assert collector.metric("page_views_total", app="shop", traffic="real") == 1


class Fares:
    """A writer's figures."""

    waiting, batches, last_batch, commit_seconds = 3, 7, 40, 0.25
    quick_backs: ClassVar[dict[tuple[str, str, str], int]] = {}


@pytest.mark.real_time
def test_the_writer_tells_how_it_fares(collector: Served) -> None:
    assert collector.metric("collector_batches_total") == 0
    collector.collector.metrics.writer = Fares()
    told = {"waiting_beacons": 3, "batches_total": 7, "last_batch_beacons": 40, "batch_seconds_total": 0.25}
    # /metrics is written anew once a second.
    wait_until(lambda: all(collector.metric(f"collector_{name}") == value for name, value in told.items()))


def test_the_thresholds_of_good_and_poor_are_edges() -> None:
    assert {0.2, 0.5, 0.8, 1.8, 2.5, 3.0, 4.0} <= set(LOAD_EDGES)
    assert {0.2, 0.5, 0.8, 1.8, 2.5, 3.0, 4.0} <= set(VITAL_EDGES)
    assert {0.1, 0.25} <= set(SHIFT_EDGES)


@pytest.mark.real_time
def test_a_vital_counts_with_its_last_value_and_once(collector: Served) -> None:
    told = view()
    for value in (0.1, 0.3, 0.7):
        collector.post(beacon({**told, "vitals": vitals(inp=value)}))
    assert collector.metric("web_vital_seconds_count") == 0, "it may still change"
    assert collector.metric("collector_unsettled_views") == 1
    collector.post(beacon({**told, "ended": True}))
    # /metrics is written once a second.
    wait_until(lambda: collector.metric("web_vital_seconds_sum", vital="inp") == 0.7)
    assert collector.metric("page_views_total") == 1


def test_a_vital_that_is_not_told_again_settles(served: Callable[..., Served]) -> None:
    collector = served(NOW + "[[apps]]\nname='shop'\norigins=['*']\n")
    collector.post(beacon(view(vitals=vitals(lcp=1.0))))
    assert collector.metric("web_vital_seconds_count", vital="lcp") == 1


def test_a_page_in_the_background_says_nothing_of_what_users_wait_for(collector: Served) -> None:
    collector.post(beacon(view(hidden=True, phases={"total": 60.0}, vitals=vitals(fcp=50.0, lcp=55.0, ttfb=0.1), ended=True)))
    assert collector.metric("page_load_time_seconds_count") == 0
    assert collector.metric("web_vital_seconds_count") == 1
    assert collector.metric("page_views_total") == 1


def test_which_traffic_counts_can_be_chosen(served: Callable[..., Served]) -> None:
    collector = served("counted_traffic = ['real', 'bot']\n[[apps]]\nname='shop'\norigins=['*']\n")
    collector.post(beacon(view(phases={"total": 1.0}), webdriver=True))
    assert collector.metric("page_load_time_seconds_count") == 1


def test_pages_that_are_invented_for_one_app_leave_room_for_those_of_another() -> None:
    metrics = CollectorMetrics(apps=2)
    shown = {metrics._page("shop", f"/invented-{number}") for number in range(1000)}
    assert len(shown) == PAGES // 2 + 1
    assert metrics._page("blog", "/about") == "/about"


def test_pages_are_told_apart_up_to_a_limit(served: Callable[..., Served]) -> None:
    apps = "".join(f"[[apps]]\nname='app{number}'\norigins=['*']\nrate=1e5\nburst=100000\n" for number in range(3))
    collector = served(f"max_pages = {PAGES // 2}\n{apps}")
    for app in range(3):
        views = [
            view(url=f"https://shop.example/p{chr(97 + one // 26)}{chr(97 + one % 26)}", phases={"total": 1.0})
            for one in range(200)
        ]
        for first in range(0, 200, 50):
            collector.post(beacon(*views[first : first + 50], app=f"app{app}"))
    lines = [
        line
        for line in collector.request("GET", "/metrics").body.decode().splitlines()
        if line.startswith("page_load_time_seconds_count")
    ]
    assert len(lines) == PAGES + 3, "and one for the others of each app"
    assert collector.metric("page_load_time_seconds_count", page=OTHER) == 600 - PAGES
    assert collector.metric("page_load_time_seconds_count") == 600


def test_slow_page_views_can_be_found_by_their_exemplar(collector: Served) -> None:
    collector.post(beacon(view(phases={"total": 3.5}, vitals=vitals(lcp=1.0), ended=True)))
    answer = collector.request("GET", "/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in read_openmetrics(answer.body.decode())}
    samples = families["page_load_time_seconds"].samples
    (slow,) = [sample.exemplar for sample in samples if sample.exemplar]
    assert (slow.labels, slow.value) == ({"session_id": "0190a1b2-0000-7000-8000-000000000001"}, 3.5)
    assert not [sample for sample in families["web_vital_seconds"].samples if sample.exemplar], "a good one needs none"


def test_both_formats_say_the_same(collector: Served) -> None:
    collector.post(beacon(view(phases={"total": 3.5}, vitals=vitals(lcp=1.0), ended=True)))
    plain = collector.request("GET", "/metrics").body.decode()
    open_text = collector.request("GET", "/metrics", accept="application/openmetrics-text").body.decode()
    assert open_text.endswith("# EOF\n")

    def samples(families: list[Metric]) -> set[tuple[str, str, float]]:
        return {
            (sample.name, str(sorted(sample.labels.items())), sample.value)
            for family in families
            for sample in family.samples
            if "collector_connections" not in sample.name
        }

    assert samples(read_plain(plain)) == samples(read_openmetrics(open_text))
    found = subprocess.run(["promtool", "check", "metrics"], input=plain, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_metrics_can_be_compressed(collector: Served) -> None:
    import gzip

    answer = collector.request("GET", "/metrics", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert b"beacons_total" in gzip.decompress(answer.body)


@pytest.mark.thorough
def test_prometheus_scrapes_them(collector: Served, prometheus: Callable[[str], Prometheus]) -> None:
    collector.post(beacon(view(phases={"total": 0.3}, ended=True)))
    server = prometheus(collector.address)
    found = wait_until(lambda: server.query("histogram_quantile(0.75, page_load_time_seconds_bucket)"))
    assert found[0]["metric"]["page"] == "/item/:slug"
    assert 0.2 < float(found[0]["value"][1]) <= 0.5


def test_labels_with_quotes_and_breaks_are_escaped() -> None:
    counter = Counter("odd", "Odd.", "name")
    counter.add(('a"b\\c\nd',))
    written = format_families([counter], openmetrics=True).decode()
    (family,) = read_openmetrics(written)
    assert family.samples[0].labels == {"name": 'a"b\\c\nd'}


def test_no_family_has_more_children_than_allowed() -> None:
    histogram = Histogram("h", "H.", (1.0,), "app", "page", limit=10)
    for number in range(1000):
        histogram.observe(("shop", f"/{number}"), 2.0, Exemplar("s", 2.0, 1.0))
    assert len(format_families([histogram], openmetrics=False).decode().splitlines()) == 2 + 11 * 4
    assert histogram.count("shop", OTHER) == 990


@pytest.mark.parametrize(("value", "shown"), [(float("inf"), "+Inf"), (float("-inf"), "-Inf"), (1e21, "1e+21"), (0, "0.0")])
def test_numbers_are_written_as_prometheus_reads_them(value: float, shown: str) -> None:
    assert format_families([Gauge("g", "G.", lambda: value)], openmetrics=False).decode().splitlines()[-1] == f"g {shown}"
