"""The certificates of the hosts that a journey has met, third parties too, as Chromium has checked them."""

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Response
from playwright.sync_api import Error as PlaywrightError

from runner.browser.deadline import DeadlineReached, deadline
from runner.browser.driver.page_channel import PageChannel
from runner.network.certificate_chain import find_first_end
from runner.result import Certificate
from runner.untrusted_text import LONGEST_NAME, tamed

HOSTS = 50
"""The most hosts of a run: each is a label of a metric."""
PATIENCE = 2.0
"""Seconds that asking for all of them may take."""


class Certificates:
    """Keeps the first encrypted answer of each host of a context; its certificate is read when the journey has ended."""

    def __init__(self, context: BrowserContext) -> None:
        self._answers: dict[str, Response] = {}
        context.on("response", self._note)

    def _note(self, response: Response) -> None:
        if not response.url.startswith("https:") or len(self._answers) >= HOSTS:
            return
        self._answers.setdefault(urlsplit(response.url).netloc.rpartition("@")[2].lower(), response)

    def read(self, channel: PageChannel) -> tuple[Certificate, ...]:
        """The certificate of each host, by name, with what `channel` knows of its chain.

        An answer from the cache, or of a page that has closed, may have none.
        """
        found: list[Certificate] = []
        with suppress(DeadlineReached), deadline(PATIENCE):
            chains = channel.read_chains() if self._answers else {}
            for host, response in sorted(self._answers.items()):
                with suppress(PlaywrightError):
                    details = response.security_details()
                    until = details.get("validTo") if details else None
                    if details and until:
                        first_end, ends_with = find_first_end(chains.get(host, ())) or (None, "")
                        found.append(
                            Certificate(
                                host=tamed(host, LONGEST_NAME),
                                subject=tamed(details.get("subjectName") or "", LONGEST_NAME),
                                issuer=tamed(details.get("issuer") or "", LONGEST_NAME),
                                protocol=tamed(details.get("protocol") or "", LONGEST_NAME),
                                valid_from=datetime.fromtimestamp(details.get("validFrom") or 0, UTC),
                                valid_until=datetime.fromtimestamp(until, UTC),
                                chain_valid_until=first_end,
                                chain_ends_with=ends_with,
                            )
                        )
        return tuple(found)
