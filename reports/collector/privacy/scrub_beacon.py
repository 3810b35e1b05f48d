"""A beacon as it may be kept: every address and text scrubbed."""

from msgspec.structs import replace

from reports.collector.beacon import Beacon, Interaction, ScriptError, SlowRequest, View, Vital
from reports.collector.privacy.scrubber import Scrubber

MOST = 65_536
"""Characters of texts and addresses in a beacon that are kept; pages cannot send more (Fetch standard, 4.6), only what others compress."""


SIGNS = 3_000
"""Colons and question marks in them: what makes a text one that may hold addresses, each of which has to be taken apart."""


class _Allowance:
    """Scrubs what fits into the limit; a text that does not is left out, since a part of it could end within what has to be found."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._left, self._signs = MOST, SIGNS

    def text(self, text: str) -> str:
        """The text as it may be kept."""
        return self._scrubber.text(text) if self._fits(text) else ""

    def url(self, address: str) -> str:
        """The address as it may be kept."""
        return self._scrubber.url(address) if self._fits(address) else ""

    def _fits(self, text: str) -> bool:
        self._left -= len(text)
        self._signs -= text.count(":") + text.count("?")
        return self._left >= 0 and self._signs >= 0


def scrub_beacon(beacon: Beacon, scrubber: Scrubber) -> Beacon:
    """The beacon without anything that must not be kept, without the app's key, and without the texts beyond MOST and SIGNS."""
    cleaner = _Allowance(scrubber)
    views = tuple(_view(view, cleaner) for view in beacon.views)
    return replace(
        beacon, views=views, key="", release=cleaner.text(beacon.release), environment=cleaner.text(beacon.environment)
    )


def _view(view: View, cleaner: _Allowance) -> View:
    return replace(
        view,
        url=cleaner.url(view.url),
        referrer=cleaner.url(view.referrer),
        title=cleaner.text(view.title),
        vitals=tuple(_vital(one, cleaner) if one.attribution else one for one in view.vitals),
        interactions=tuple(_interaction(one, cleaner) for one in view.interactions),
        errors=tuple(_error(one, cleaner) for one in view.errors),
        requests=tuple(_request(one, cleaner) for one in view.requests),
    )


def _vital(vital: Vital, cleaner: _Allowance) -> Vital:
    cleaned = {
        name: (cleaner.url(one) if one.startswith(("/", "http")) else cleaner.text(one)) if isinstance(one, str) else one
        for name, one in vital.attribution.items()
    }
    return replace(vital, attribution=cleaned)


def _interaction(interaction: Interaction, cleaner: _Allowance) -> Interaction:
    kept = {name: cleaner.text(getattr(interaction, name)) for name in ("name", "test_id", "element")}
    changed = {name: text for name, text in kept.items() if text != getattr(interaction, name)}
    return replace(interaction, **changed) if changed else interaction


def _error(error: ScriptError, cleaner: _Allowance) -> ScriptError:
    return replace(
        error,
        message=cleaner.text(error.message),
        type=cleaner.text(error.type),
        stack=cleaner.text(error.stack),
        source=cleaner.url(error.source),
    )


def _request(request: SlowRequest, cleaner: _Allowance) -> SlowRequest:
    return replace(request, url=cleaner.url(request.url), failure=cleaner.text(request.failure))
