"""Which map explains a script that a stack names: that of the release whose path has most in common with the script's, from the end."""

from collections.abc import Iterable, Sequence

from reports.source_maps.map_store import StoredMap
from reports.source_maps.stack import script_path


def choose_map(address: str, maps: Iterable[StoredMap]) -> StoredMap | None:
    """The map of a script among those of its release; None if there is none, or several that fit as well.

    Sites are served from other folders than they are built in, so one path has to end with the other: `dist/assets/app.js` is served as
    `/assets/app.js`, `app.js` as `/static/app.js`.
    """
    served = script_path(address).split("/")
    fitting = [(_rank(served, one), one) for one in maps]
    best = max((rank for rank, _ in fitting), default=(0, False))
    if not best[0]:
        return None
    chosen = [one for rank, one in fitting if rank == best]
    # One wrong map is worse than none.
    return chosen[0] if len({one.checksum for one in chosen}) == 1 else None


def _rank(served: Sequence[str], one: StoredMap) -> tuple[int, bool]:
    """How many parts of the two paths are the same, from the end; 0 if one does not end with the other. Then, whether it is the app's."""
    built = script_path(one.script).split("/")
    length = min(len(served), len(built))
    # The last parts are the names of files.
    if served[-length:] == built[-length:] and served[-1]:
        return length, bool(one.app)
    same = 0
    for left, right in zip(reversed(served), reversed(built), strict=False):
        if left != right:
            break
        same += 1
    # `dist/assets/app.js`, served as `/shop/assets/app.js`: the file's name and its folder.
    return (same, bool(one.app)) if same > 1 else (0, False)
