"""Runs summed up by the day, and indices for what pages ask of a store that has grown."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from runner.store.quantile_sketch import Sketch
from runner.store.rollups import STATUSES, day_of, run_hours, step_hours

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MARKS = ("flaky", "over_budget", "contended")
NOT_PASSED = sa.text("status <> 'passed'")
PARTIAL = {"runs_not_passed": ["started_at"], "runs_not_passed_anywhere": ["journey", "started_at"]}
COUNTED = (*STATUSES, *MARKS)


def upgrade() -> None:
    """To this form; the hours that are there are summed up."""
    name = sa.String(length=100)
    moment = sa.DateTime(timezone=True)
    run_days = op.create_table(
        "run_days",
        sa.Column("journey", name, nullable=False),
        sa.Column("location", name, nullable=False),
        sa.Column("day", moment, nullable=False),
        *(sa.Column(column, sa.Integer(), nullable=False) for column in COUNTED),
        sa.Column("durations", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("journey", "location", "day"),
    )
    op.create_index("run_days_by_time", "run_days", ["day"], unique=False)
    step_days = op.create_table(
        "step_days",
        sa.Column("journey", name, nullable=False),
        sa.Column("location", name, nullable=False),
        sa.Column("day", moment, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("latencies", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("journey", "location", "day", "step"),
    )
    op.create_index("runs_anywhere", "runs", ["journey", "started_at", "location", "status"], unique=False)
    for index, columns in PARTIAL.items():
        op.create_index(index, "runs", columns, unique=False, sqlite_where=NOT_PASSED, postgresql_where=NOT_PASSED)
    op.create_index("slots_by_state", "slots", ["state", "slot_at"], unique=False)
    op.create_index("alerts_by_end", "alerts", ["closed_at", "opened_at"], unique=False)
    _sum_up(run_hours, run_days, ("journey", "location"), COUNTED, "durations")
    _sum_up(step_hours, step_days, ("journey", "location", "step"), ("seconds", "bytes"), "latencies")


def _sum_up(hours: sa.Table, days: sa.Table, same: Iterable[str], counted: Iterable[str], sketch: str) -> None:
    connection = op.get_bind()
    zone = connection.dialect.name != "sqlite"
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in connection.execute(sa.select(hours).order_by(hours.c.hour)).mappings():
        day = day_of(row["hour"])
        key = {name: row[name] for name in same} | {"day": day if zone else day.replace(tzinfo=None)}
        one = found.setdefault(tuple(key.values()), key | dict.fromkeys(counted, 0) | {sketch: Sketch()})
        for name in counted:
            one[name] += row[name]
        if "position" in row:
            one["position"] = row["position"]
        one[sketch].merge(Sketch.read(row[sketch]))
    if found:
        connection.execute(sa.insert(days), [one | {sketch: one[sketch].written()} for one in found.values()])


def downgrade() -> None:
    """Back to the form before."""
    op.drop_index("alerts_by_end", table_name="alerts")
    op.drop_index("slots_by_state", table_name="slots")
    for index in PARTIAL:
        op.drop_index(index, table_name="runs")
    op.drop_index("runs_anywhere", table_name="runs")
    op.drop_table("step_days")
    op.drop_index("run_days_by_time", table_name="run_days")
    op.drop_table("run_days")
