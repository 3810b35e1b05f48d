"""The limits on guesses at one dashboard: of a network, of an account, of a known browser, and of a provider's answers."""

from collections.abc import Callable
from time import time
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from reports.web.access.attempt_counts import AttemptCounts, MemoryCounts, StoredCounts, UsedOnce
from reports.web.access.passwords.backoff import AccountBudget, Backoff
from runner.store import Store

LONGEST_WAIT = 300.0
"""Seconds: the longest wait of a network, or of a known browser, before the next attempt."""
Result = TypeVar("Result")


class GuessLimits:
    """Several servers on one database count together, by the clocks of their machines; one alone counts in its memory.

    Each check returns the seconds until the next attempt is checked; 0 if this one is, which then counts.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._shared = store.shared
        at = time if store.shared else clock

        def counts(kind: str, digits: int = 16) -> AttemptCounts:
            return StoredCounts(store, kind, digits=digits) if store.shared else MemoryCounts()

        # Of a name few digits: it may be a password in the wrong field.
        self._accounts = AccountBudget(at, counts=counts("account", 4))
        self._nets = Backoff(LONGEST_WAIT, at, counts=counts("network"))
        self._browsers = Backoff(LONGEST_WAIT, at, counts=counts("browser"))
        # Apart from guesses: a provider that is misconfigured must not keep those out who have a password.
        self._answers = Backoff(LONGEST_WAIT, at, counts=counts("provider"))
        self.used_once = UsedOnce(counts("once"), at)

    async def count_token(self, network: str, name: str, right: bool) -> float:
        """Counts a token that was compared already, which takes no time."""

        def count() -> float:
            wait = self._nets.wait(network)
            if not wait:
                (self._nets.right if right else self._nets.wrong)(network, name)
            return wait

        return await self._count(count)

    async def count_password(self, network: str, account: str, browser: str) -> float:
        """Counts a password before it is checked; otherwise many at the same time would all be checked.

        `browser` is the number of a known browser, or empty.
        """

        def count() -> float:
            if browser:
                return self._browsers.attempt(browser, account)
            wait = self._accounts.wait(account) or self._nets.attempt(network, account)
            if not wait:
                self._accounts.take(account)
            return wait

        return await self._count(count)

    async def forget_password(self, network: str, account: str, browser: str) -> None:
        """The password was right."""
        await self._count(lambda: self._browsers.right(browser, account) if browser else self._nets.right(network, account))

    async def count_answer(self, network: str) -> float:
        """Counts an answer of the provider, which a stranger may have made up."""
        return await self._count(lambda: self._answers.attempt(network))

    async def forget_answer(self, network: str) -> None:
        """The answer was the provider's."""
        await self._count(lambda: self._answers.right(network))

    async def _count(self, work: Callable[[], Result]) -> Result:
        return await run_in_threadpool(work) if self._shared else work()
