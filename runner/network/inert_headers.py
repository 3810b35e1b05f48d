"""Headers of responses that are not pages: nothing in them runs, is guessed to be something else, or is framed."""

INERT_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
)
"""No Cross-Origin-Resource-Policy: pages elsewhere load the agent, and send to the collector without CORS."""
