"""`journey store`: copies, checks and restores of the database."""

import os
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from reports.collector.storage.group_commit import Writer
from runner.cli.all_commands import app
from runner.errors import ConfigError, JourneyError
from runner.store import Store, StoreDown
from runner.store.backup import back_up, find_problems, find_server_problems, restore
from tests.reports.collector.arrivals import arrival
from tests.runner.store.older import back_to
from tests.runner.store.test_store import result
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with 3 runs."""
    file = tmp_path / "runs" / "journeys.db"
    with Store(f"sqlite:///{file}") as store:
        for _ in range(3):
            store.add(result())
    return file


def count(file: Path) -> int:
    with Store(f"sqlite:///{file}") as store:
        return store.count()


def damage(file: Path) -> None:
    """Overwrites a page in the middle of it."""
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 8192] = b"\xa5" * 8192
    file.write_bytes(content)


@pytest.mark.long
def test_a_copy_is_one_state_of_a_database_that_is_written_meanwhile(file: Path, tmp_path: Path) -> None:
    ended = threading.Event()

    def write() -> None:
        with Store(f"sqlite:///{file}") as store:
            while not ended.is_set():
                store.add(result())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            back_up(file, tmp_path / "copies" / f"{number}.db")
    finally:
        ended.set()
        writer.join()
    counts = [count(tmp_path / "copies" / f"{number}.db") for number in range(5)]
    assert counts == sorted(counts)
    assert counts[0] >= 3
    assert {one.suffix for one in (tmp_path / "copies").iterdir()} == {".db"}
    assert [one.stat().st_mode & 0o077 for one in (tmp_path / "copies").rglob("*")] == [0] * 5


def test_a_copy_overwrites_nothing(file: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("text")
    with pytest.raises(ConfigError, match="already exists and is not overwritten"):
        back_up(file, tmp_path / "precious")
    assert (tmp_path / "precious").read_text() == "text"


def test_a_damaged_database_is_reported_and_not_copied(file: Path, tmp_path: Path) -> None:
    assert find_problems(file) == []
    damage(file)
    assert find_problems(file)
    with pytest.raises(StoreDown, match=r"damaged and was not copied|cannot be copied"):
        back_up(file, tmp_path / "copy.db")
    assert not list(tmp_path.glob("*copy.db*"))


def test_each_problem_of_a_damaged_database_is_a_line(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    back_up(file, copy)
    content = bytearray(copy.read_bytes())
    for place in range(20_000, 60_000, 97):
        content[place] ^= 0xFF
    copy.write_bytes(content)
    found = find_problems(copy)
    assert len(found) > 1
    assert not [one for one in found if "\n" in one or one.startswith("***")]


def test_rows_that_refer_to_nothing_and_missing_tables_are_reported(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM runs WHERE id = (SELECT min(id) FROM runs)")
        connection.execute("DROP TABLE pauses")
        connection.commit()
    found = find_problems(file)
    assert any("refers to a row of runs that does not exist" in one for one in found)
    assert "the table pauses is missing" in found


@pytest.mark.long
def test_a_restore_brings_back_what_was_there_and_keeps_what_was_instead(file: Path, tmp_path: Path) -> None:
    back_up(file, tmp_path / "copy.db")
    with Store(f"sqlite:///{file}") as store:
        store.add(result())
    kept = restore(tmp_path / "copy.db", file)
    assert kept is not None
    assert (count(file), count(kept)) == (3, 4)
    assert count(tmp_path / "copy.db") == 3


@pytest.mark.long
def test_a_copy_of_an_earlier_version_is_upgraded_and_stays_as_it_is(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with Store(f"sqlite:///{file}") as store:
        back_to("0003", store)
    back_up(file, copy)
    file.unlink()
    before = copy.read_bytes()
    assert restore(copy, file) is None
    assert (count(file), copy.read_bytes() == before) == (3, True)


def test_a_damaged_database_is_replaced(file: Path, tmp_path: Path) -> None:
    back_up(file, tmp_path / "copy.db")
    file.write_bytes(b"no database any more, " * 1000)
    kept = restore(tmp_path / "copy.db", file)
    assert kept is not None
    assert kept.read_bytes().startswith(b"no database any more")
    assert count(file) == 3


@pytest.mark.parametrize("how", ["damaged", "foreign", "text", "missing"])
def test_what_is_no_whole_copy_is_refused_and_nothing_changes(file: Path, tmp_path: Path, how: str) -> None:
    copy = tmp_path / "copy.db"
    if how == "damaged":
        back_up(file, copy)
        damage(copy)
    elif how == "foreign":
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("CREATE TABLE dashboards (id INTEGER)")
    elif how == "text":
        copy.write_text("text " * 1000)
    with pytest.raises((ConfigError, StoreDown)) as refused:
        restore(copy, file)
    assert str(refused.value).count(str(copy)) == 1
    assert count(file) == 3
    assert [one.name for one in file.parent.iterdir()] == ["journeys.db"]


@pytest.mark.long
def test_a_database_that_is_in_use_is_not_replaced(file: Path, tmp_path: Path) -> None:
    back_up(file, tmp_path / "copy.db")
    with Store(f"sqlite:///{file}") as store:
        store.add(result())
        with pytest.raises(ConfigError, match="is in use; stop `journey schedule` and `journey serve`"):
            restore(tmp_path / "copy.db", file)
        assert store.count() == 4


def journey(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, ["store", *words], prog_name="journey")
    if isinstance(ran.exception, JourneyError):
        return ran.exception.exit_code, str(ran.exception)
    return ran.exit_code, ran.output


@pytest.mark.long
def test_the_commands(file: Path, tmp_path: Path) -> None:
    database, copy = ("--database", f"sqlite:///{file}"), str(tmp_path / "copy.db")
    assert journey("check", *database) == (0, "the database is whole\n")
    code, said = journey("backup", copy, *database)
    assert (code, said.startswith(f"copied {file} to {copy} (")) == (0, True)
    file.chmod(0o644)
    assert f"warning: others than its owner can read {file}" in journey("check", *database)[1]
    damage(file)
    code, said = journey("check", *database)
    assert (code, "error: " in said) == (1, True)
    code, said = journey("restore", copy, *database)
    assert (code, f"restored {file} from {copy}\nthe database before is kept as {file}.before-" in said) == (0, True)
    assert count(file) == 3
    for words in (("check",), ("backup", f"{tmp_path}/other.db")):
        code, said = journey(*words, "--database", f"sqlite:///{tmp_path}/nowhere.db")
        assert (code, f"there is no database {tmp_path}/nowhere.db" in said) == (2, True)
    assert not (tmp_path / "nowhere.db").exists()


@pytest.mark.thorough
def test_a_database_of_a_server_is_checked_and_copied_with_its_own_programs(
    postgres: Callable[[], str], tmp_path: Path
) -> None:
    url = postgres()
    Store(url).close()
    assert find_server_problems(url) == []
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE pauses"))
    engine.dispose()
    assert find_server_problems(url) == ["the table pauses is missing"]
    assert "pg_dump --format=custom" in journey("backup", str(tmp_path / "copy"), "--database", url)[1]
    assert "pg_restore, into an empty schema" in journey("restore", str(tmp_path / "copy"), "--database", url)[1]
    with pytest.raises(StoreDown, match="cannot be used"):
        find_server_problems("postgresql+psycopg://me:hush@127.0.0.1:9/journeys")


@pytest.mark.thorough
def test_the_documented_copy_of_a_server_is_one_state_of_it_and_brings_it_back(
    postgres: Callable[[], str], tmp_path: Path
) -> None:
    documented = re.findall(
        r"^(?:pg_dump|psql --command|pg_restore).*$", (ROOT / "docs" / "schedule.md").read_text(), re.MULTILINE
    )
    assert len(documented) == 3
    url = postgres()
    environment = {**os.environ, "JOURNEY_DATABASE": url.replace("+psycopg", "")}
    ended = threading.Event()

    def write() -> None:
        with Store(url) as store, Writer(url) as writer:
            while not ended.is_set():
                store.add(result())
                # Now: retention drops a day that is long over.
                writer.put_blocking(arrival(at=time.time()))

    with Store(url) as store:
        store.add(result())
        writing = threading.Thread(target=write)
        writing.start()
        try:
            wait_until(lambda: store.count() >= 5)
            subprocess.run(documented[0], shell=True, check=True, cwd=tmp_path, env=environment)
            since = store.count()
            wait_until(lambda: store.count() > since)
        finally:
            ended.set()
            writing.join()
        last = store.count()
    for command in documented[1:]:
        subprocess.run(command, shell=True, check=True, cwd=tmp_path, env=environment)
    assert find_server_problems(url) == []
    with Store(url) as store, store.snapshot() as connection:
        counts = "(SELECT count(*) FROM runs), (SELECT count(*) FROM beacons), (SELECT count(*) FROM page_views)"
        counted = f"SELECT (SELECT sum(passed + failed + error + cancelled) FROM run_hours), {counts}"
        hours, runs, beacons, views = connection.execute(text(counted)).one()
    assert 5 <= runs <= since < last
    # Tables that are written together are of one state.
    assert (hours, views) == (runs, beacons)
