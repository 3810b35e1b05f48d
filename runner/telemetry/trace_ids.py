"""The ids of a run's trace and spans, derived from the run's id: known before the run begins, and the same wherever they are computed."""

from hashlib import sha256


def trace_id(run: str) -> str:
    """The trace of a run: 32 hexadecimal digits. Hashed, as samplers read it as a random number, which a UUID with a time is not.

    >>> trace_id("01b80000-0000-7000-8000-000000000001")
    '324fdae946d8dc6e0d30c7abc48aaa79'
    """
    return sha256(f"journey trace {run}".encode()).hexdigest()[:32]


def span_id(run: str, *path: object) -> str:
    """A span of a run, by its path from the run's own: attempt, step, and what is below. 16 hexadecimal digits."""
    return sha256(f"journey span {run} {path!r}".encode()).hexdigest()[:16]


def step_span_id(run: str, attempt: int, index: int) -> str:
    """The span of a step, below which the spans of a site's backend are."""
    return span_id(run, "attempt", attempt, "step", index)


def traceparent(run: str, attempt: int, index: int) -> str:
    """The header that names a step as the parent (W3C Trace Context, version 00, sampled)."""
    return f"00-{trace_id(run)}-{step_span_id(run, attempt, index)}-01"


def navigation_span_id(run: str, attempt: int, index: int, number: int) -> str:
    """The span of a document that a step has loaded."""
    return span_id(run, "attempt", attempt, "step", index, "navigation", number)


def request_span_id(run: str, attempt: int, index: int, number: int) -> str:
    """The span of a request of a step."""
    return span_id(run, "attempt", attempt, "step", index, "request", number)


def format_trace_url(template: str, trace: str, span: str) -> str:
    """Where a span can be seen, as the setting `trace_url` has it.

    >>> format_trace_url("https://tempo.example/{trace_id}?span={span_id}", "4bf9", "00f0")
    'https://tempo.example/4bf9?span=00f0'
    """
    return template.replace("{trace_id}", trace).replace("{span_id}", span)
