"""What counts as a run and as a bad run of an objective, in PromQL: counters of the scheduler's /metrics or of remote write."""

import re

from msgspec import Struct
from prometheus_client.utils import floatToGoString

from runner.settings.sections.objectives import Objective
from runner.untrusted_text import LONGEST_NAME, bounded

RUNS = "synthetic_runs_total"
LATENCY = "synthetic_step_latency_seconds"


class Selectors(Struct, frozen=True):
    """Selectors of counters: all runs that count, and the bad ones or, for latencies, the good ones."""

    total: str
    bad: str = ""
    good: str = ""


def select_counters(objective: Objective) -> Selectors:
    """The selectors of an objective. Runs in which the monitor failed, and cancelled ones, are in none of them."""
    journeys = _matcher("journey", [_to_regex(one) for one in objective.journeys])
    if objective.step is None or objective.under is None:
        return Selectors(total=f'{RUNS}{{{journeys},status=~"passed|failed"}}', bad=f'{RUNS}{{{journeys},status="failed"}}')
    step = f'step="{_quoted(bounded(objective.step, LONGEST_NAME))}"'
    edge = str(floatToGoString(objective.under))  # type: ignore[no-untyped-call]
    # Remote write and newer versions of Prometheus write 1, older ones keep 1.0 as it was scraped.
    le = f'le=~"{edge[:-2]}([.]0)?"' if edge.endswith(".0") else f'le="{edge}"'
    return Selectors(total=f"{LATENCY}_count{{{journeys},{step}}}", good=f"{LATENCY}_bucket{{{journeys},{step},{le}}}")


def count_all(selectors: Selectors, window: str) -> str:
    """PromQL: the number of runs that count in a window."""
    return f"sum(increase({selectors.total}[{window}]))"


def count_bad(selectors: Selectors, window: str) -> str:
    """PromQL: the number of bad runs in a window."""
    if selectors.bad:
        return f"(sum(increase({selectors.bad}[{window}])) or vector(0))"
    return f"({count_all(selectors, window)} - sum(increase({selectors.good}[{window}])))"


def _to_regex(pattern: str) -> str:
    """A pattern of names (`*` and `?`) as a regular expression of Prometheus, which always matches the whole label.

    >>> _to_regex("check.out*")
    'check[.]out.*'
    """
    return "".join({"*": ".*", "?": "."}.get(one, one if re.match(r"[\w-]", one) else f"[{one}]") for one in pattern)


def _matcher(label: str, patterns: list[str]) -> str:
    exact = len(patterns) == 1 and re.fullmatch(r"[\w-]+", patterns[0])
    return f'{label}="{patterns[0]}"' if exact else f'{label}=~"{"|".join(patterns)}"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
