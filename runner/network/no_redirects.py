"""Requests that follow no redirect: what is sent, credentials above all, is not meant for another address."""

from typing import Any
from urllib.request import HTTPRedirectHandler


class NoRedirects(HTTPRedirectHandler):
    """A redirect is an error, as an HTTPError with its status (RFC 9700, 4.12)."""

    def redirect_request(self, *_: Any) -> None:
        """Follows none."""
        return
