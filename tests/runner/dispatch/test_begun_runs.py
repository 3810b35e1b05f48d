"""What a worker remembers on its disk of the runs that it has begun."""

from pathlib import Path

from runner.dispatch.worker.begun_runs import FOLDER, BegunRun, BegunRuns


def test_the_next_process_finds_the_runs_that_were_begun_and_not_ended(tmp_path: Path) -> None:
    begun = BegunRuns(tmp_path)
    assert begun.left == ()
    kept, ended = BegunRun("01", "a", redelivered=True), BegunRun("02", "a")
    begun.add(kept)
    begun.add(ended)
    begun.remove("02")
    begun.remove("03")
    (tmp_path / FOLDER / "04").write_text('{"run": "0')
    assert BegunRuns(tmp_path).left == (kept,)
    assert [file.name for file in (tmp_path / FOLDER).iterdir()] == ["01"], "one that a kill has cut off is of no use"
