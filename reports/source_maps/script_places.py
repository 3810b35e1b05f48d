"""Where places in scripts are in the original code, by the maps that were uploaded for a release: for profiles, which have no stack."""

from collections.abc import Iterable
from functools import lru_cache

from reports.source_maps.frames import clean_path
from reports.source_maps.map_store import MapStore
from reports.source_maps.matching import choose_map
from reports.source_maps.resolver import WITHIN, Lookup, Resolved, look_up

Place = tuple[str, int, int]
"""A script's address, line and column."""


def find_originals(places: Iterable[Place], release: str, store: MapStore, within: float = WITHIN) -> dict[Place, str]:
    """`file:line` of each place that a map of the release explains; a map that is not read `within` so many seconds explains none.

    Raises StoreDown, and OSError for the folder of the maps.
    """
    maps = list(store.list(release))
    by_map: dict[str, list[Place]] = {}
    for one in dict.fromkeys(places):
        chosen = choose_map(one[0], maps)
        if chosen is not None:
            by_map.setdefault(chosen.checksum, []).append(one)
    lookups = tuple(
        Lookup(str(store.file(checksum)), tuple((line, column) for _, line, column in wanted))
        for checksum, wanted in by_map.items()
    )
    return {
        place: f"{clean_path(original.source)}:{original.line}"
        for wanted, resolved in zip(by_map.values(), _resolve(lookups, within), strict=True)
        for place, original in zip(wanted, resolved.places, strict=True)
        if original is not None
    }


@lru_cache(maxsize=64)
def _resolve(lookups: tuple[Lookup, ...], within: float) -> list[Resolved]:
    """The answers, which never change: a map's file is named by its checksum. Starting a process for them takes longer than most pages."""
    return look_up(lookups, within) if lookups else []
