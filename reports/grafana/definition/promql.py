"""Expressions that several panels have."""

from collections.abc import Sequence

from reports.grafana.definition.panels import Query

RUN = 'journey=~"$journey", location=~"$location"'
STEP = 'journey=~"$journey", location=~"$location", step=~"$step"'
JOURNEY = 'journey=~"$journey"'
APP = 'app=~"$app"'
PAGE = 'app=~"$app", page=~"$page"'
SUCCESS = f"min by (journey, location) (synthetic_success{{{RUN}}})"


def of(metric: str, *selectors: str) -> str:
    """A metric with what is chosen.

    >>> of("page_views_total", 'app="shop"', 'traffic="person"')
    'page_views_total{app="shop", traffic="person"}'
    """
    return f"{metric}{{{', '.join(selectors)}}}"


def greatest(metric: str, labels: str, *selectors: str) -> str:
    """The greatest value for each combination of labels.

    >>> greatest("synthetic_attempts", "journey", 'journey="buy"')
    'max by (journey) (synthetic_attempts{journey="buy"})'
    """
    return f"max by ({labels}) ({of(metric, *selectors)})"


def quantile(share: float, metric: str, *selectors: str, window: str = "$__rate_interval", by: str = "") -> str:
    """A quantile of a histogram over a window.

    >>> quantile(0.5, "web_vital_seconds", 'vital="lcp"', window="1h", by="page")
    'histogram_quantile(0.5, sum by (page, le) (rate(web_vital_seconds_bucket{vital="lcp"}[1h])))'
    """
    series = of(f"{metric}_bucket", *selectors) if selectors else f"{metric}_bucket"
    return f"histogram_quantile({share:g}, sum by ({f'{by}, ' if by else ''}le) (rate({series}[{window}])))"


def quantiles(
    shares: Sequence[float], metric: str, *selectors: str, window: str = "$__rate_interval", exemplars: bool = False
) -> list[Query]:
    """Quantiles, each named as `p95` is."""
    return [
        Query(quantile(share, metric, *selectors, window=window), f"p{share * 100:g}", exemplars=exemplars) for share in shares
    ]


def share_up_to(bound: str, metric: str, *selectors: str) -> str:
    """The share of a histogram's values up to an edge of its buckets."""
    bucket, count = of(f"{metric}_bucket", *selectors, f'le="{bound}"'), of(f"{metric}_count", *selectors)
    return f"sum(rate({bucket}[$__range])) / sum(rate({count}[$__range]))"


def per_minute(metric: str, by: str, *selectors: str) -> str:
    """How often a counter is raised in a minute, for each value of a label."""
    return f"sum by ({by}) (rate({of(metric, *selectors) if selectors else metric}[$__rate_interval])) * 60"
