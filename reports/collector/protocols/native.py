"""`/v1/views`: the beacons of our own agent."""

import re

import msgspec

from reports.collector.admission.intake import Incoming, Intake
from reports.collector.beacon import Beacon, decode_beacon
from reports.collector.errors import Refusal
from reports.collector.http.endpoint import Answer

TAKEN = Answer()
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


class NativeProtocol:
    """Takes beacons in our own form."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def take(self, incoming: Incoming) -> Answer:
        """Answers when the beacon is on disk. Raises Refusal."""
        beacon = parse_beacon(incoming.body)
        site = self._intake.register.find(beacon.app)
        self._intake.admit(site, beacon.key, incoming)
        await self._intake.store(site, beacon, incoming)
        return TAKEN


def parse_beacon(body: bytes) -> Beacon:
    """The beacon in a body. Raises Refusal that names the field, 422 for an invalid one, 400 for invalid JSON."""
    try:
        return decode_beacon(body)
    except (ValueError, RecursionError) as error:
        raise refuse_unreadable(error) from error


def refuse_unreadable(error: ValueError | RecursionError) -> Refusal:
    """The rejection of a document that msgspec cannot decode."""
    if isinstance(error, RecursionError):
        return Refusal(400, "not_json", "the document is nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return Refusal(400, "not_json", f"the body is not JSON in UTF-8: {str(error)[:200]}")
    field = _AT.search(str(error))
    shown = _AT.sub("", str(error))[:200]
    return Refusal(422, "invalid", shown, field=field[1][:100] if field else "", fix="docs/collector.md has every field")
