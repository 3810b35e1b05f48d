"""How many places have to fail before a journey does."""

from collections.abc import Collection

from msgspec import Struct

from runner.settings.parsers.locations import LocationCount


class PlaceVerdict(Struct, frozen=True):
    """Which of the places that are up fail, and how many have to."""

    failing: tuple[str, ...]
    places: int
    needed: int

    @property
    def fails(self) -> bool:
        """Whether the journey does."""
        return len(self.failing) >= self.needed

    def describe(self) -> str:
        """For a message."""
        return f"fails at {len(self.failing)} of {self.places} locations ({', '.join(self.failing)})"


def judge_places(failing: Collection[str], places: Collection[str], rule: LocationCount) -> PlaceVerdict:
    """By the rule, of the places that are up.

    >>> judge_places({"oregon"}, {"frankfurt", "oregon", "tokyo"}, LocationCount(2, 3)).fails
    False
    >>> judge_places({"oregon"}, {"oregon"}, LocationCount(2, 3)).fails
    True
    """
    here = tuple(sorted(set(failing) & set(places)))
    return PlaceVerdict(here, len(places), rule.needed(len(places)))
