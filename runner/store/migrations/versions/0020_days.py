"""Page views, what belongs to them, and the ids of beacons in partitions by day. In PostgreSQL alone.

The number of a row says on which day it came (`runner/store/tables/day_numbers.py`), so partitions are ranges of numbers. Rows that are
there keep their numbers, and their tables, unchanged, become the first partition: they are read once, to check that, and not written.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

PER_DAY = 10_000_000_000
AHEAD = 2
KEYS = {
    "beacons": ("number",),
    "interactions": ("view", "index"),
    "page_errors": ("view", "reason"),
    "page_views": ("number",),
    "slow_requests": ("view", "index"),
    "vitals": ("view", "name", "id"),
}
NAMED = "ARRAY['beacons', 'interactions', 'page_errors', 'page_views', 'slow_requests', 'vitals']"
MAKE = f"""
CREATE FUNCTION journey_make_day(day bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = SCHEMA, pg_temp AS $$
DECLARE
    one text;
    part text;
BEGIN
    -- One process at a time; the others then find that it is there.
    PERFORM pg_advisory_xact_lock(27247, 1);
    FOREACH one IN ARRAY {NAMED} LOOP
        part := one || to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', '"_"YYYYMMDD');
        CONTINUE WHEN to_regclass(quote_ident(part)) IS NOT NULL;
        BEGIN
            -- Attached afterwards: unlike a table that is created as a partition, that waits for no query and lets none wait.
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING INDEXES)', part, one);
            IF one IN ('beacons', 'page_views') THEN
                EXECUTE format('ALTER TABLE %I ADD UNIQUE (id)', part);
            END IF;
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', one, part, day * {PER_DAY}, (day + 1) * {PER_DAY}
            );
        EXCEPTION WHEN invalid_object_definition THEN
            -- The first partition has this day.
            CONTINUE;
        END;
    END LOOP;
END $$
"""
DROP = f"""
CREATE FUNCTION journey_drop_day(one text, part text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = SCHEMA, pg_temp SET lock_timeout = '500ms' AS $$
BEGIN
    IF one <> ALL ({NAMED}) OR part !~ ('^' || one || '_(first|[0-9]{{8}})$') THEN
        RAISE EXCEPTION '% is not a partition of %', part, one;
    END IF;
    EXECUTE format('DROP TABLE %I', part);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    -- A long query reads the table; whoever comes after us must not wait for it.
    RETURN false;
END $$
"""


def upgrade() -> None:
    """To this form."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    today = connection.execute(sa.text("SELECT floor(extract(epoch FROM clock_timestamp()) / 86400)::bigint")).scalar_one()
    for table, keys in KEYS.items():
        _split(connection, table, keys, today)
    schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    for function in (MAKE, DROP):
        op.execute(function.replace("SCHEMA", schema))
    for day in range(today, today + AHEAD + 1):
        connection.execute(sa.text("SELECT journey_make_day(:day)"), {"day": day})


def _split(connection: sa.Connection, table: str, keys: tuple[str, ...], today: int) -> None:
    """Puts a partitioned table in the place of a table, which becomes its first partition if it has rows."""
    first = f"{table}_first"
    indices = connection.execute(
        sa.text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :table"),
        {"table": table},
    ).all()
    op.rename_table(table, first)
    for name, _ in indices:
        op.execute(f'ALTER INDEX "{name}" RENAME TO "{name}_first"')
    op.execute(f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS) PARTITION BY RANGE ({keys[0]})")
    quoted = ", ".join(f'"{key}"' for key in keys)
    op.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({quoted})")
    for _, definition in indices:
        # Ids are unique within a day only: a unique index of a partitioned table must have its key.
        if "UNIQUE" not in definition:
            op.execute(definition)
    _copy_rights(connection, first, table)
    if not connection.execute(sa.text(f"SELECT EXISTS (SELECT 1 FROM {first})")).scalar_one():
        op.drop_table(first)
        return
    # Its indices are those of the partitioned table already, so none is built.
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ({today * PER_DAY})")


def _copy_rights(connection: sa.Connection, one: str, other: str) -> None:
    """Gives whoever may use one table the same rights on another."""
    rights = connection.execute(
        sa.text(
            "SELECT privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END "
            "FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = CAST(:one AS regclass) AND grantee <> relowner"
        ),
        {"one": one},
    )
    for right, grantee in rights.all():
        op.execute(f"GRANT {right} ON {other} TO {grantee}")


def downgrade() -> None:
    """Back from it: rows are numbered without gaps, as the form before counts them by their numbers."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    op.execute("DROP FUNCTION journey_make_day(bigint)")
    op.execute("DROP FUNCTION journey_drop_day(text, text)")
    views = _moves(connection, "page_views")
    beacons = _moves(connection, "beacons")
    for table, keys in KEYS.items():
        _join(connection, table, keys, beacons if table == "beacons" else views)
    for low, high, less in views:
        op.execute(f"UPDATE histograms SET view = view - {less} WHERE view >= {low} AND view <= {high}")
    for low, high, less in beacons:
        op.execute(f"UPDATE marks SET value = value - {less} WHERE name = 'rolled' AND value >= {low} AND value <= {high}")
    # The numbers of views in them; the next view of each session is taken for its first.
    op.execute("UPDATE sessions SET trail = '[]'")
    for mark, table in (("views", "page_views"), ("beacons", "beacons")):
        op.execute(f"UPDATE marks SET value = (SELECT coalesce(max(number), value) FROM {table}) WHERE name = '{mark}'")
    op.execute("UPDATE marks SET value = least(value, (SELECT value FROM marks WHERE name = 'beacons')) WHERE name = 'rolled'")


def _moves(connection: sa.Connection, table: str) -> list[tuple[int, int, int]]:
    """By how much less the numbers from one to another become, so that they have no gaps."""
    moves, last = [], 0
    for (part,) in _parts(connection, table):
        low, high = connection.execute(sa.text(f"SELECT min(number), max(number) FROM {part}")).one()
        if low is not None:
            less = low - last - 1 if last else 0
            moves.append((low, high, less))
            last = high - less
    return moves


def _parts(connection: sa.Connection, table: str) -> list[sa.Row[tuple[str]]]:
    """The partitions, the oldest first."""
    wanted = (
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = CAST(:table AS regclass) "
        "ORDER BY relname NOT LIKE '%\\_first', relname"
    )
    return list(connection.execute(sa.text(wanted), {"table": table}).all())


def _join(connection: sa.Connection, table: str, keys: tuple[str, ...], moves: list[tuple[int, int, int]]) -> None:
    """Puts a plain table in the place of a partitioned one."""
    indices = connection.execute(
        sa.text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :table "
            "AND indexdef NOT LIKE '%UNIQUE%'"
        ),
        {"table": table},
    ).all()
    op.rename_table(table, f"{table}_days")
    op.execute(f"CREATE TABLE {table} (LIKE {table}_days INCLUDING DEFAULTS)")
    _copy_rights(connection, f"{table}_days", table)
    names = [one["name"] for one in sa.inspect(connection).get_columns(table)]
    columns = ", ".join(f'"{name}"' for name in names)
    for low, high, less in moves:
        values = ", ".join(f'"{name}" - {less}' if name == keys[0] else f'"{name}"' for name in names)
        op.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}_days WHERE {keys[0]} BETWEEN {low} AND {high}"
        )
    op.drop_table(f"{table}_days")
    quoted = ", ".join(f'"{key}"' for key in keys)
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({quoted})")
    if keys == ("number",):
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_id_key UNIQUE (id)")
    for _, definition in indices:
        op.execute(definition.replace(" ON ONLY ", " ON "))
