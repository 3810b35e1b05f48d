"""The headers of pages that show a recording: nothing is loaded but the dashboard's own scripts and styles."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; frame-src 'none'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The frame with the recording inherits it. Inline styles are allowed, as the recording has its own, but can load nothing."""
WITH_FORM = {
    "Content-Security-Policy": POLICY.replace("form-action 'none'", "form-action 'self'"),
    # With `no-referrer` a browser does not send the origin of a form (Fetch, "append a request `Origin` header").
    "Referrer-Policy": "same-origin",
}
"""For pages with a form, which is the dashboard's own. The frame itself cannot submit forms: its sandbox forbids it."""
HEADERS = {"Content-Security-Policy": POLICY, "X-DNS-Prefetch-Control": "off", "Referrer-Policy": "no-referrer"}
