"""Retention of source maps: those of releases that nobody reports any more."""

from sqlalchemy import func, select

from reports.source_maps.map_store import ORPHANED, MapStore
from runner.store import Store
from runner.store.tables.errors import source_maps
from runner.store.tables.page_views import series

DAY = 86_400


def prune_maps(store: Store, maps: MapStore, keep: float, now: float) -> int:
    """Removes the maps of releases that were uploaded, and last seen in a page view, more than `keep` seconds ago; returns how many."""
    before = now - keep
    with store.connected() as connection:
        wanted = select(source_maps.c.release, source_maps.c.app).group_by(source_maps.c.release, source_maps.c.app)
        uploaded = connection.execute(wanted.having(func.max(source_maps.c.uploaded_at) < before)).all()
        # The newest day of a series begins up to a day before its newest view.
        seen = select(series.c.app).where(series.c.seen_at > before - DAY)
        apps = {release: set(connection.execute(seen.where(series.c.release == release)).scalars()) for release, _ in uploaded}
    gone = [(release, app) for release, app in uploaded if not apps[release] or (app and app not in apps[release])]
    count = sum(maps.remove(release, app) for release, app in gone)
    maps.sweep(ORPHANED)
    return count
