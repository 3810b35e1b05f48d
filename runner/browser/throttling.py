"""A slower network and processor for a page, or no cache, by the DevTools protocol (`Network.emulateNetworkConditions`,
`Network.setCacheDisabled`, `Emulation.setCPUThrottlingRate`)."""

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from runner.dsl.journey import Network


def throttle(context: BrowserContext, network: Network | None, cpu: float | None, http_cache: bool = True) -> None:
    """Slows every page of `context`, present and future. `cpu` is the factor by which the main thread is slower.
    Without `http_cache` nothing is read from the HTTP cache.

    To be called when the first page is open: it is slow when this returns. A popup is slowed from when Playwright knows
    it, so that its first request may already be on its way.
    """
    if network is None and cpu is None and http_cache:
        return

    if context.browser is not None and context.browser.browser_type.name != "chromium":
        # Of all this the other engines have only that there is no network (runner/dsl/engine_limits.py refuses the rest).
        context.set_offline(network is not None and network.offline)
        return

    def slow(page: Page) -> None:
        try:
            session = context.new_cdp_session(page)
            if network is not None:
                session.send(
                    "Network.emulateNetworkConditions",
                    {
                        "offline": network.offline,
                        "latency": network.latency_seconds * 1000,
                        "downloadThroughput": network.download_bytes_per_second,
                        "uploadThroughput": network.upload_bytes_per_second,
                    },
                )
            if not http_cache:
                session.send("Network.enable")  # without it the next one changes nothing
                session.send("Network.setCacheDisabled", {"cacheDisabled": True})
            if cpu is not None:
                session.send("Emulation.setCPUThrottlingRate", {"rate": cpu})
        except PlaywrightError:
            # A popup may close before it could be slowed; a page that lives must never be measured unslowed.
            if not page.is_closed():
                raise

    for page in context.pages:
        slow(page)
    context.on("page", slow)
