"""A beacon as it may be kept: every address and text scrubbed."""

from msgspec.structs import replace

from reports.collector.beacon import Beacon, Interaction, ScriptError, SlowRequest, View, Vital
from reports.collector.privacy.scrubber import Scrubber


def scrub_beacon(beacon: Beacon, cleaner: Scrubber) -> Beacon:
    """The beacon without anything that must not be kept, and without the app's key."""
    views = tuple(_view(view, cleaner) for view in beacon.views)
    return replace(
        beacon, views=views, key="", release=cleaner.text(beacon.release), environment=cleaner.text(beacon.environment)
    )


def _view(view: View, cleaner: Scrubber) -> View:
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


def _vital(vital: Vital, cleaner: Scrubber) -> Vital:
    cleaned = {
        name: (cleaner.url(one) if one.startswith(("/", "http")) else cleaner.text(one)) if isinstance(one, str) else one
        for name, one in vital.attribution.items()
    }
    return replace(vital, attribution=cleaned)


def _interaction(interaction: Interaction, cleaner: Scrubber) -> Interaction:
    name, test_id = cleaner.text(interaction.name), cleaner.text(interaction.test_id)
    return (
        replace(interaction, name=name, test_id=test_id)
        if (name, test_id) != (interaction.name, interaction.test_id)
        else interaction
    )


def _error(error: ScriptError, cleaner: Scrubber) -> ScriptError:
    return replace(
        error,
        message=cleaner.text(error.message),
        type=cleaner.text(error.type),
        stack=cleaner.text(error.stack),
        source=cleaner.url(error.source),
    )


def _request(request: SlowRequest, cleaner: Scrubber) -> SlowRequest:
    return replace(request, url=cleaner.url(request.url), failure=cleaner.text(request.failure))
