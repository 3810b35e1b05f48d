"""The ledger of the day: what the database, the storage, the disks of all parts and their own notes say, and that it agrees."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from sqlalchemy import text

from benchmarks.dispatch_day.journeys import LOCATIONS
from runner.archive.archive import Archive, run_folder_name
from runner.archive.run_files import RESULT
from runner.bundles.make_bundle import PLACE
from runner.result import GIVEN_UP, RunResult
from runner.store import Store
from tests.support.services.journey_worker import JourneyWorker

if TYPE_CHECKING:
    from benchmarks.dispatch_day.monitor import Monitor

MARKED = ("was lost or cut off while it was under way", "was not the first worker to get the run")
"""What a result says whose run was walked before."""


class Ledger(Struct):
    """What was counted, and what does not agree."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def check(self, name: str, wrong: Any) -> None:
        """Notes a violation where anything is wrong, with the first of it."""
        found = sorted(wrong, key=str)
        if found:
            self.violations.append(f"{name}: {len(found)}, such as {', '.join(str(one) for one in found[:3])}")


def read_notes(monitor: "Monitor") -> list[dict[str, Any]]:
    """What the workers have noted. A line that a kill has cut off is left out."""
    lines = monitor.noted.read_text().splitlines() if monitor.noted.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def read_worker_results(worker: JourneyWorker) -> Iterator[RunResult]:
    """The results that a worker has on its disk."""
    archive = Archive(worker.folder / "runs")
    for folder in archive.ids().values():
        saved = archive.read(folder)
        if saved is not None:
            yield saved.result


def balance(monitor: "Monitor", expected: dict[str, list[datetime]], sent_again: set[str]) -> Ledger:
    """Counts all, and compares it; `expected` are the slots of each journey in the time that the scheduler was to keep."""
    ledger = Ledger()
    with Store(monitor.url) as store, store.snapshot() as connection:
        rows = {name: connection.execute(text(f"SELECT * FROM {name}")).mappings().all() for name in TABLES}
    _check_slots(ledger, rows, expected)
    _check_runs(ledger, rows, monitor)
    _check_walks(ledger, rows, monitor, sent_again)
    _check_results(ledger, rows, monitor)
    _check_artifacts(ledger, rows, monitor)
    _check_alerts(ledger, rows, monitor)
    return ledger


TABLES = ("slots", "runs", "steps", "artifacts", "run_days", "run_hours", "alerts", "messages")
Rows = dict[str, Any]


def moment(value: Any) -> datetime:
    """A time of the database: SQLite has it as text."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _check_slots(ledger: Ledger, rows: Rows, expected: dict[str, list[datetime]]) -> None:
    states = Counter(f"{row['state']} {row['reason']}".strip() for row in rows["slots"])
    recorded = {(row["journey"], row["location"], moment(row["slot_at"])) for row in rows["slots"]}
    wanted = {(name, place, at) for name, slots in expected.items() for place in LOCATIONS for at in slots}
    # A journey is known from its first recorded slot on: one that never got that far has no earlier scheduler that could miss it.
    since = {(name, place): min(at for *where, at in recorded if where == [name, place]) for name, place, _ in recorded}
    wanted = {one for one in wanted if one[2] >= since.get(one[:2], one[2])}
    ledger.counts["slots"] = {"due": len(wanted), "recorded": len(wanted & recorded), **states}
    ledger.check("slots of which nothing is known", wanted - recorded)
    ledger.check("slots still claimed", (row["run_id"] for row in rows["slots"] if row["state"] == "claimed"))
    runs = {row["id"] for row in rows["runs"]}
    ledger.check(
        "slots done without a run",
        (row["run_id"] for row in rows["slots"] if row["state"] == "done" and row["run_id"] not in runs),
    )
    ledger.check(
        "slots missed with a run", (row["run_id"] for row in rows["slots"] if row["state"] != "done" and row["run_id"] in runs)
    )


def _check_runs(ledger: Ledger, rows: Rows, monitor: "Monitor") -> None:
    runs = rows["runs"]
    statuses = Counter(row["status"] for row in runs)
    given_up = sum(GIVEN_UP in row["notes"] for row in runs)
    ledger.counts["runs"] = {"stored": len(runs), **statuses, "given up by the scheduler": given_up}
    ledger.counts["errors"] = dict(Counter(shorten(row["failure_message"]) for row in runs if row["status"] == "error"))
    slots = {row["run_id"]: (row["journey"], row["location"], moment(row["slot_at"])) for row in rows["slots"]}
    places = {row["id"]: (row["journey"], row["location"], moment(row["slot_at"])) for row in runs}
    ledger.check("runs that are not those of their slots", (run for run, place in places.items() if slots.get(run) != place))
    ledger.check("slots with two runs", (place for place, count in Counter(places.values()).items() if count > 1))
    for name in ("run_days", "run_hours"):
        counted = {status: sum(row[status] for row in rows[name]) for status in ("passed", "failed", "error", "cancelled")}
        ledger.check(
            f"{name} does not count what is stored",
            (f"{one} {counted[one]}" for one in counted if counted[one] != statuses[one]),
        )
    saved = Archive(monitor.scheduler.folder / "runs")
    kept = {run: result.result.status for run, folder in saved.ids().items() if (result := saved.read(folder)) is not None}
    ledger.check("saved runs that are not stored", kept.keys() - places.keys())
    ledger.check("stored runs that are saved otherwise", (row["id"] for row in runs if kept.get(row["id"]) != row["status"]))


def shorten(message: str | None) -> str:
    """The beginning of a message without what differs from one to the next."""
    words = [word for word in (message or "").split() if "@" not in word and not word.isdecimal()]
    return " ".join(words)[:70]


def _check_walks(ledger: Ledger, rows: Rows, monitor: "Monitor", sent_again: set[str]) -> None:
    """Nothing is green that was not walked, and what was walked twice says so."""
    begun: dict[str, list[str]] = defaultdict(list)
    for one in read_notes(monitor):
        if "run" in one:
            begun[one["run"]].append(one["worker"])
    walked: dict[tuple[str, str], list[float]] = defaultdict(list)
    lines = monitor.witness.read_text().splitlines() if monitor.witness.exists() else []
    for name, place, at in (line.split() for line in lines):
        walked[name, place].append(float(at))
    green = [row for row in rows["runs"] if row["status"] == "passed"]
    unwalked = [
        row["id"]
        for row in green
        if not any(
            moment(row["started_at"]).timestamp() - 0.5 <= at <= moment(row["ended_at"]).timestamp() + 0.5
            for at in walked[row["journey"], row["location"]]
        )
    ]
    steps = {row["run_id"] for row in rows["steps"] if row["status"] == "passed"}
    twice = {run for run, workers in begun.items() if len(workers) > 1}
    notes = {row["id"]: str(row["notes"]) for row in rows["runs"]}
    marked = {run for run in twice if any(word in notes.get(run, "") for word in (*MARKED, GIVEN_UP))}
    ledger.counts["walks"] = {"begun": sum(map(len, begun.values())), "runs begun": len(begun), "by journeys": len(lines)}
    ledger.counts["walks"] |= {"runs begun twice": len(twice), "and marked": len(marked), "orders sent again": len(sent_again)}
    # A day on which nothing could run would agree too.
    ledger.check("locations without a green run", set(LOCATIONS) - {row["location"] for row in green})
    ledger.check("green and not walked", unwalked)
    ledger.check("green without a passed step", (row["id"] for row in green if row["id"] not in steps))
    ledger.check("green and begun by no worker", (row["id"] for row in green if row["id"] not in begun))
    ledger.check("run twice and not marked", twice - marked - sent_again)


def _check_results(ledger: Ledger, rows: Rows, monitor: "Monitor") -> None:
    """What a worker has saved is what is stored: no result is lost."""
    made: dict[str, set[str]] = defaultdict(set)
    for worker in monitor.workers:
        for result in read_worker_results(worker):
            made[result.id].add(result.status)
    stored = {row["id"]: row for row in rows["runs"]}
    ledger.counts["results"] = {"made by workers": len(made), "of them stored": len(made.keys() & stored.keys())}
    ledger.check("results lost", made.keys() - stored.keys())
    ledger.check(
        "results lost, and their runs given up",
        (run for run in made.keys() & stored.keys() if GIVEN_UP in stored[run]["notes"]),
    )
    ledger.check(
        "stored with another status than made",
        (
            run
            for run in made.keys() & stored.keys()
            if GIVEN_UP not in stored[run]["notes"] and stored[run]["status"] not in made[run]
        ),
    )
    ledger.check(
        "results that wait at a worker",
        (file for one in monitor.workers for file in (one.folder / "runs" / ".outbox").glob("*")),
    )


def _check_artifacts(ledger: Ledger, rows: Rows, monitor: "Monitor") -> None:
    """What results list is in the storage, with its digest, and nothing else is."""
    storage = monitor.storage.storage
    there = {key: size for key, size in storage.sizes().items() if not key.startswith(f"{PLACE}/")}
    archive = Archive(monitor.scheduler.folder / "runs")
    listed: dict[str, str] = {}
    places: set[str] = set()
    count = Counter(row["run_id"] for row in rows["artifacts"])
    uncounted = []
    for run, folder in archive.ids().items():
        saved = archive.read(folder)
        if saved is None:
            continue
        result = saved.result
        if len(result.artifacts) != count[run]:
            uncounted.append(run)
        place = f"{result.journey}/{run_folder_name(result.started_at, result.id)}"
        places.add(place)
        listed |= {f"{place}/{one.path}": one.sha256 for one in result.artifacts}
    wrong = [key for key in listed.keys() & there.keys() if hashlib.sha256(storage.read(key)).hexdigest() != listed[key]]
    extra = {key for key in there.keys() - listed.keys() if not key.endswith(f"/{RESULT}")}
    stored = {row["id"] for row in rows["runs"]}
    second = {
        key for key in extra if key.split("/")[1].partition("Z-")[2] in stored and "/".join(key.split("/")[:2]) not in places
    }
    ledger.counts["artifacts"] = {"listed in results": len(listed), "of them in the storage": len(listed.keys() & there.keys())}
    ledger.counts["artifacts"] |= {"in the database": sum(count.values()), "of another walk of a run": len(second)}
    ledger.check("artifacts that are not in the storage", listed.keys() - there.keys())
    ledger.check("artifacts whose digest is wrong", wrong)
    ledger.check("artifacts in the storage that no result lists", extra - second)
    ledger.check("runs with other artifacts in the database", uncounted)
    walks = Counter(one["run"] for one in read_notes(monitor) if "run" in one)
    doubled = Counter(key.split("/")[1].partition("Z-")[2] for key in there if key.endswith(f"/{RESULT}"))
    ledger.check(
        "runs with more results in the storage than walks",
        (run for run, count in doubled.items() if count > max(walks[run], 1)),
    )
    made = {result.id for worker in monitor.workers for result in read_worker_results(worker)}
    with_result = {key.split("/")[1].partition("Z-")[2] for key in there if key.endswith(f"/{RESULT}")}
    ledger.check("runs made by workers whose result is not in the storage", made - with_result)


def _check_alerts(ledger: Ledger, rows: Rows, monitor: "Monitor") -> None:
    """Each alert has begun once, has ended if its journey has recovered, and was sent."""
    fired = len(rows["alerts"])
    resolved = sum(row["closed_at"] is not None for row in rows["alerts"])
    bad = Counter(row["alert_id"] for row in rows["messages"] if row["bad"])
    good = Counter(row["alert_id"] for row in rows["messages"] if not row["bad"])
    ledger.counts["alerts"] = {"fired": fired, "resolved": resolved, "open": fired - resolved}
    ledger.counts["alerts"] |= {"messages": len(rows["messages"]), "received": len(monitor.alerts.titles)}
    ledger.check("alerts that were not announced once", (row["id"] for row in rows["alerts"] if bad[row["id"]] != 1))
    ended = {row["id"]: row["closed_at"] is not None for row in rows["alerts"]}
    ledger.check("alerts whose end was not announced once", (one for one, closed in ended.items() if good[one] != closed))
    ledger.check("messages not sent", (row["title"] for row in rows["messages"] if row["sent_at"] is None))
    titles = Counter(monitor.alerts.titles)
    ledger.check("messages not received", Counter(row["title"] for row in rows["messages"]) - titles)
    newest: dict[tuple[str, str], Any] = {}
    for row in sorted(rows["runs"], key=lambda row: moment(row["started_at"])):
        if row["status"] != "cancelled":
            newest[row["journey"], row["location"]] = row["status"]
    opened = {
        (row["journey"], row["location"])
        for row in rows["alerts"]
        if row["closed_at"] is None and row["kind"] in {"failing", "monitor"}
    }
    ledger.check("alerts of journeys that have recovered", (one for one in opened if newest.get(one) == "passed"))
    twice = Counter((row["journey"], row["location"], row["kind"]) for row in rows["alerts"] if row["closed_at"] is None)
    ledger.check("alerts that are open twice", (one for one, count in twice.items() if count > 1))
