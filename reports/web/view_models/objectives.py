"""The objectives of the settings, with what the stored runs say about them."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.objectives.state import ObjectiveState, read_objective
from runner.settings.sections.objectives import Objective


class ObjectiveList(Struct, frozen=True, kw_only=True):
    """Every objective, in the order of the settings."""

    objectives: tuple[ObjectiveState, ...]


def read_objectives(connection: Connection, objectives: Sequence[Objective], now: datetime) -> ObjectiveList:
    """The data of the page."""
    return ObjectiveList(objectives=tuple(read_objective(connection, one, now) for one in objectives))
