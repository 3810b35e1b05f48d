"""Explains errors by source maps, and groups them by what was explained; opens what was resolved and has come again.

Errors are stored without a look at any map, so receiving them costs the same with and without maps. What comes after is done here, a few
seconds later, and again for a release when a map of it arrives: the errors that it explains move to their new group with all that is
stored of them, and what was decided about the former group goes with them.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from reports.source_maps.frames import OriginalFrame, clean_path, group_by_frames, is_third_party
from reports.source_maps.map_store import MapStore, StoredMap
from reports.source_maps.matching import choose_map
from reports.source_maps.resolver import Lookup, OriginalPlace, Resolved, look_up
from reports.source_maps.stack import ScriptFrame, parse_stack
from runner.store import Store
from runner.store.tables.errors import error_states, source_maps
from runner.store.tables.page_views import reasons

AT_ONCE = 100
"""Reasons that are explained at a time."""
FRAMES = 30
"""Frames of a stack that are explained."""
WITH_CODE = 6
"""Frames whose lines of code are kept with the error, so that the map is not read to show them; those of own code first."""


class Explained(Struct):
    """What one turn has done."""

    reasons: int = 0
    troubles: dict[str, str] = {}
    """Maps that could not be read, by the script that they are of, and why."""


def explain_errors(
    store: Store, maps: MapStore, read_maps: Callable[[Sequence[Lookup]], Sequence[Resolved]] = look_up
) -> Explained:
    """Explains the next reasons that a map may explain and that were not looked at since it came; `reasons` is 0 when there are none."""
    began = time.time()
    with store.connected() as connection:
        rows = _unexplained(connection)
        of_release = {release: _maps(connection, release) for release in {row.release for row in rows}}
    if not rows:
        return Explained()
    stacks = {row.id: _frames_of(row) for row in rows}
    chosen: dict[tuple[str, str, str], StoredMap | None] = {}
    wanted: dict[str, set[tuple[int, int]]] = {}
    for row in rows:
        for frame in stacks[row.id]:
            key = (row.app, row.release, frame.script)
            if key not in chosen:
                chosen[key] = choose_map(frame.script, [one for one in of_release[row.release] if one.app in {"", row.app}])
            if (found := chosen[key]) is not None:
                wanted.setdefault(found.checksum, set()).add((frame.line, frame.column))
    lookups = [Lookup(str(maps.file(checksum)), tuple(sorted(places))) for checksum, places in sorted(wanted.items())]
    known: dict[tuple[str, int, int], OriginalPlace | None] = {}
    troubles: dict[str, str] = {}
    for (checksum, places), answer in zip(sorted(wanted.items()), read_maps(lookups), strict=True):
        known.update({(checksum, *place): found for place, found in zip(sorted(places), answer.places, strict=True)})
        if answer.trouble:
            troubles |= {one.script: answer.trouble for one in chosen.values() if one and one.checksum == checksum}
    for row in rows:
        found_places = [_place_of(row, frame, chosen, known) for frame in stacks[row.id]]
        _store_explanation(store, row, _original_frames(stacks[row.id], found_places), began)
    return Explained(len(rows), troubles)


def _unexplained(connection: Connection) -> Sequence[Row[Any]]:
    newest = (
        select(source_maps.c.release, source_maps.c.app, func.max(source_maps.c.uploaded_at).label("uploaded_at"))
        .group_by(source_maps.c.release, source_maps.c.app)
        .subquery()
    )
    names = ("id", "app", "release", "kind", "type", "source", "stack", "line", "column", "error_group")
    fits = and_(reasons.c.release == newest.c.release, or_(newest.c.app == "", newest.c.app == reasons.c.app))
    wanted = select(*(reasons.c[name] for name in names)).join(newest, fits)
    # A release may have maps of its app and maps of any.
    return connection.execute(wanted.where(reasons.c.mapped_at < newest.c.uploaded_at).distinct().limit(AT_ONCE)).all()


def _maps(connection: Connection, release: str) -> list[StoredMap]:
    columns = [source_maps.c[name] for name in StoredMap.__struct_fields__]
    found = connection.execute(select(*columns).where(source_maps.c.release == release))
    return [StoredMap(**row) for row in found.mappings()]


def _frames_of(row: Any) -> tuple[ScriptFrame, ...]:
    """The frames of its stack, or the place alone if it has none."""
    frames = parse_stack(row.stack)[:FRAMES]
    if frames or not row.line or not row.source:
        return frames
    return (ScriptFrame(row.source, row.line, max(row.column, 1)),)


def _place_of(
    row: Any, frame: ScriptFrame, chosen: dict[tuple[str, str, str], StoredMap | None], known: dict[Any, OriginalPlace | None]
) -> OriginalPlace | None:
    found = chosen[row.app, row.release, frame.script]
    return known[found.checksum, frame.line, frame.column] if found else None


def _original_frames(frames: Sequence[ScriptFrame], places: Sequence[OriginalPlace | None]) -> tuple[OriginalFrame, ...]:
    made = []
    for number, (frame, place) in enumerate(zip(frames, places, strict=True)):
        served: dict[str, Any] = {"script": frame.script, "script_line": frame.line, "script_column": frame.column}
        if place is None:
            made.append(OriginalFrame(**served, function=frame.function))
            continue
        # What a function is called in the original is known where it is called: in the frame below.
        caller = places[number + 1] if number + 1 < len(places) else None
        path = clean_path(place.source)
        made.append(
            OriginalFrame(
                **served,
                path=path,
                line=place.line,
                column=place.column,
                function=caller.name if caller and caller.name else frame.function if len(frame.function) > 2 else "",
                own=not place.ignored and not is_third_party(path),
                code=place.code,
                first_line=place.first_line,
            )
        )
    return tuple(_without_most_code(made))


def _without_most_code(frames: Iterable[OriginalFrame]) -> list[OriginalFrame]:
    listed = list(frames)
    with_code = [number for number, one in enumerate(listed) if one.code]
    kept = set(sorted(with_code, key=lambda number: not listed[number].own)[:WITH_CODE])
    return [one if number in kept or not one.code else replace(one, code=()) for number, one in enumerate(listed)]


def _store_explanation(store: Store, row: Any, frames: tuple[OriginalFrame, ...], now: float) -> None:
    group = group_by_frames(row.app, row.type or row.kind, frames)
    values: dict[str, Any] = {"mapped_at": now}
    if group is not None:
        values |= {"original": msgspec.json.encode(frames).decode().replace("\\u0000", "\\ufffd"), "error_group": group}
    with store.connected() as connection:
        if group is not None and group != row.error_group:
            _copy_state(connection, row.error_group, group)
        connection.execute(update(reasons).where(reasons.c.id == row.id).values(values))


def _copy_state(connection: Connection, former: str, group: str) -> None:
    """What was decided about the former group holds for the errors that leave it, unless there is a decision about their new one."""
    ids = (former, group)
    found = {one["id"]: one for one in connection.execute(select(error_states).where(error_states.c.id.in_(ids))).mappings()}
    if former in found and group not in found:
        connection.execute(insert(error_states), [{**found[former], "id": group}])
