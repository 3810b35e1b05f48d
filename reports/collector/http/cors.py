"""What browsers ask before, and look for behind, a request to another origin (Fetch standard, 3.2)."""

MAX_AGE = 7200
"""Seconds; the maximum for which Chromium caches a preflight."""
METHODS = b"POST, OPTIONS"
HEADERS = b"content-type, content-encoding, x-api-key, x-faro-session-id, x-scope-orgid, idempotency-key, traceparent, tracestate, baggage"
"""Ours, and those that other agents send."""
Headers = list[tuple[bytes, bytes]]


def cors_headers(origin: str, admitted: bool) -> Headers:
    """Of every answer, errors too. The origin is repeated and not `*`, as `sendBeacon` brings the page's cookies; nobody reads them."""
    if not admitted:
        return [(b"vary", b"origin")]
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"retry-after"),
        (b"vary", b"origin"),
    ]


def answer_preflight(origin: str, admitted: bool) -> Headers:
    """Of the answer to an OPTIONS request."""
    if not admitted:
        return cors_headers(origin, admitted)
    return [
        *cors_headers(origin, admitted),
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", HEADERS),
        (b"access-control-max-age", str(MAX_AGE).encode()),
    ]
