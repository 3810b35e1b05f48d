"""Runs summed up by the hour, and an index for those that did not pass."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from runner.store.quantile_sketch import Sketch
from runner.store.rollups import STATUSES, hour_of
from runner.store.tables.runs import runs, steps

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HERE = ("journey", "location")
MARKS = ("flaky", "over_budget", "contended")


def upgrade() -> None:
    """To this form; what is there already is summed up."""
    name = sa.String(length=100)
    moment = sa.DateTime(timezone=True)
    run_hours = op.create_table(
        "run_hours",
        sa.Column("journey", name, nullable=False),
        sa.Column("location", name, nullable=False),
        sa.Column("hour", moment, nullable=False),
        *(sa.Column(column, sa.Integer(), nullable=False) for column in (*STATUSES, *MARKS)),
        sa.Column("durations", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("journey", "location", "hour"),
    )
    op.create_index("run_hours_by_time", "run_hours", ["hour"], unique=False)
    step_hours = op.create_table(
        "step_hours",
        sa.Column("journey", name, nullable=False),
        sa.Column("location", name, nullable=False),
        sa.Column("hour", moment, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("latencies", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("journey", "location", "hour", "step"),
    )
    journeys = op.create_table(
        "journeys",
        sa.Column("journey", name, nullable=False),
        sa.Column("location", name, nullable=False),
        sa.Column("newest_run", sa.String(length=36), nullable=False),
        sa.Column("newest_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("journey", "location"),
    )
    op.create_index("runs_by_status", "runs", ["journey", "location", "status", "started_at"], unique=False)
    _sum_up(run_hours, step_hours, journeys)


def _sum_up(run_hours: sa.Table, step_hours: sa.Table, journeys: sa.Table) -> None:
    connection = op.get_bind()
    of_runs: dict[tuple[Any, ...], dict[str, Any]] = {}
    newest: dict[tuple[Any, ...], Any] = {}
    columns = ("id", *HERE, "started_at", "status", *MARKS, "duration_seconds")
    for row in connection.execute(sa.select(*(runs.c[column] for column in columns)).order_by(runs.c.started_at)):
        key = (row.journey, row.location, hour_of(row.started_at))
        tally = of_runs.setdefault(key, dict.fromkeys((*STATUSES, *MARKS), 0) | {"durations": Sketch()})
        newest[row.journey, row.location] = row
        if row.status in STATUSES:
            tally[row.status] += 1
        for mark in MARKS:
            tally[mark] += getattr(row, mark)
        if row.status == "passed":
            tally["durations"].add(row.duration_seconds)
    of_steps: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(
        lambda: {"position": 0, "seconds": 0.0, "bytes": 0, "latencies": Sketch()}
    )
    wanted = (
        sa.select(
            *(runs.c[column] for column in (*HERE, "started_at")),
            *(steps.c[column] for column in ("name", "latency_seconds", "transfer_bytes")),
            steps.c.index.label("position"),
        )
        .join(steps, sa.and_(steps.c.run_id == runs.c.id, steps.c.attempt == runs.c.attempts))
        .where(steps.c.status == "passed", steps.c.latency_seconds.is_not(None))
    )
    for row in connection.execute(wanted):
        one = of_steps[row.journey, row.location, hour_of(row.started_at), row.name]
        one["position"] = row.position
        one["seconds"] += row.latency_seconds
        one["bytes"] += row.transfer_bytes
        one["latencies"].add(row.latency_seconds)
    zone = connection.dialect.name != "sqlite"

    def at(moment: Any) -> Any:
        return moment if zone else moment.replace(tzinfo=None)

    if newest:
        rows: list[dict[str, Any]] = [
            {"journey": journey, "location": location, "newest_run": row.id, "newest_at": at(row.started_at)}
            for (journey, location), row in newest.items()
        ]
        connection.execute(sa.insert(journeys), rows)
        rows = [
            {"journey": journey, "location": location, "hour": at(hour), **tally, "durations": tally["durations"].written()}
            for (journey, location, hour), tally in of_runs.items()
        ]
        connection.execute(sa.insert(run_hours), rows)
    if of_steps:
        rows = [
            {"journey": journey, "location": location, "hour": at(hour), "step": step}
            | {**one, "latencies": one["latencies"].written()}
            for (journey, location, hour, step), one in of_steps.items()
        ]
        connection.execute(sa.insert(step_hours), rows)


def downgrade() -> None:
    """Back to the form before."""
    op.drop_index("runs_by_status", table_name="runs")
    op.drop_table("journeys")
    op.drop_table("step_hours")
    op.drop_index("run_hours_by_time", table_name="run_hours")
    op.drop_table("run_hours")
