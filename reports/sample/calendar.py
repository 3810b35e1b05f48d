"""When what happened in the week of the sample: releases, an outage, and how busy the shop was. Hours count back from its end."""

from datetime import datetime, timedelta
from math import cos, pi

HOURS = 7 * 24
BETWEEN_RUNS = 3
"""Hours between two runs of a journey."""
RELEASES = ((HOURS, "2026.9"), (80, "2026.10"), (30, "2026.11"))
"""Each release, with the hours before the end at which it came out."""
SLOW_RELEASE = "2026.10"
NEWEST_RELEASE = RELEASES[-1][1]
OUTAGE = range(108, 114)
"""The hours in which payment was down."""
BROKEN_PAGE = 6
"""The hours for which the product page has been broken, as it is in the demo's real run."""
ENVIRONMENT = "sample"
"""The environment that made-up page views name."""
NOTE = "sample: this was made up by `journey demo`, it did not happen"


def release_at(hours: float) -> str:
    """The release so many hours before the end.

    >>> release_at(100), release_at(31), release_at(0)
    ('2026.9', '2026.10', '2026.11')
    """
    return next((name for since, name in reversed(RELEASES) if hours <= since), RELEASES[0][1])


def busyness(at: datetime, hours: float) -> float:
    """How busy the shop is so many hours before `at`: from 0 (at night) to 1.

    >>> from datetime import UTC
    >>> round(busyness(datetime(2026, 6, 1, 15, tzinfo=UTC), 12), 2), busyness(datetime(2026, 6, 1, 15, tzinfo=UTC), 0)
    (0.0, 1.0)
    """
    moment = at - timedelta(hours=hours)
    return 0.5 + 0.5 * cos((moment.hour + moment.minute / 60 - 15) / 12 * pi)
