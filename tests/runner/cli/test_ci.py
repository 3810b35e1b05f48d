"""A CI job as GitHub Actions runs one: exit code, annotations, the summary, JUnit and Markdown of real runs on the shop.

Each case is a command and what comes of it; further commands are further lines of CASES.
"""

from pathlib import Path

import pytest
from lxml import etree
from msgspec import Struct

from runner.workers.pool import Workers
from tests.reports.hostile import assert_inert, rendered
from tests.runner.cli.folder import WALK, Folder
from tests.runner.cli.test_smoke import DECIDE_SOON
from tests.support.commands import Ended
from tests.support.thorough import thorough_but

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[2] / "reports" / "junit.xsd"))
LINE = next(number for number, text in enumerate(WALK.splitlines(), 1) if "Buy [now]" in text)
BUDGET = """
from runner import journey

@journey
def slow(page, step):
    with step("a", budget="50ms"):
        page.goto("/?delay=100")
"""
SLOW, FAST = "the slow shop", "the shop"
"""Stand for their addresses."""


class Case(Struct, frozen=True, kw_only=True):
    """A command of a job, and what is expected of it."""

    command: tuple[str, ...]
    code: int
    counts: tuple[int, int, int]
    """In JUnit: tests, failures, errors."""
    annotations: tuple[str, ...]
    """The beginning of each, in order."""
    summary: str
    """What the summary's first line begins with."""


CASES = {
    "passes": Case(command=("run", "walk"), code=0, counts=(1, 0, 0), annotations=(), summary="✓ walk passed"),
    "the site fails": Case(
        command=("run", "walk", "fall"),
        code=1,
        counts=(3, 1, 0),
        annotations=(
            f"::error file=journeys/walk.py,line={LINE},title=journey fall%2C step “buy” (assertion)::Locator expected",
        ),
        summary="✗ 1 of 2 runs did not pass: fall, step “buy”: Locator expected to be visible",
    ),
    "the monitor fails": Case(
        command=("run", "walk", "--browser-path", "./broken"),
        code=3,
        counts=(2, 0, 1),
        annotations=("::error title=journey walk (browser)::",),
        summary="! walk error: walk: ",
    ),
    "over budget": Case(
        command=("run", "slow"),
        code=4,
        counts=(1, 1, 0),
        annotations=("::error title=journey slow%2C step “a” (budget)::0.",),
        summary="✓ slow passed: slow, step “a”: 0.",
    ),
    "a smoke check passes": Case(
        command=("smoke", "walk"), code=0, counts=(1, 0, 0), annotations=(), summary="✓ Smoke check passed: 1 step of 1 journey"
    ),
    "a smoke check finds the site broken": Case(
        command=("smoke", "walk", "fall"),
        code=1,
        counts=(3, 1, 0),
        annotations=(
            f"::error file=journeys/walk.py,line={LINE},title=journey fall%2C step “buy” (assertion)::Locator expected",
        ),
        summary="✗ Smoke check failed: fall, step “buy”: Locator expected to be visible",
    ),
    "the monitor fails in a smoke check": Case(
        command=("smoke", "walk", "--browser-path", "./broken"),
        code=3,
        counts=(1, 0, 1),
        annotations=("::error title=journey walk (browser)::",),
        summary="! Smoke check error: walk: ",
    ),
    "a smoke check is over budget": Case(
        command=("smoke", "slow"),
        code=4,
        counts=(1, 1, 0),
        annotations=("::error file=journeys/slow.py,line=6,title=journey slow%2C step “a” (budget)::median latency of ",),
        summary="▲ Smoke check missed: slow, step “a”: median latency of ",
    ),
    "a smoke check finds a regression": Case(
        command=("smoke", "walk", "--base-url", SLOW, "--against", FAST),
        code=4,
        counts=(1, 1, 0),
        annotations=("::error file=journeys/walk.py,line=",),
        summary="▲ Smoke check missed: walk, step “open”: ",
    ),
    "the reference site fails": Case(
        command=("smoke", "walk", "--against", "http://127.0.0.1:1"),
        code=3,
        counts=(1, 0, 1),
        annotations=("::error file=journeys/walk.py,line=",),
        summary="! Smoke check error: walk, step “open”: not passed on the reference site http://127.0.0.1:1, so nothing can be",
    ),
}
OFTEN = ("the site fails", "over budget", "a smoke check passes")
"""The others go the same ways, or measure two sites side by side until a difference is certain."""


class Job:
    """A job of GitHub Actions in a repository with journeys."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.summary = folder.path / "summary.md"
        self.environment = {
            **DECIDE_SOON,
            "JOURNEY_SMOKE_WARM_UP": "0",
            "JOURNEY_SMOKE_RUNS": "2",
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(folder.path),
        }

    def run(self, *command: str) -> tuple[int, list[str], str]:
        """Exit code, annotations, and what was printed."""
        return told(self.folder.journey(*command, **self.environment))

    def process(self, *command: str) -> tuple[int, list[str], str]:
        """As `run`, in a process of its own: with what its journeys print."""
        return told(self.folder.process(*command, **self.environment))


def told(ran: Ended) -> tuple[int, list[str], str]:
    """Exit code, annotations, and what was printed."""
    return ran.returncode, taken(ran.stdout, ran.stderr), ran.stdout + ran.stderr


def taken(stdout: str, stderr: str) -> list[str]:
    """The commands that GitHub would take: those that stand where it was not told to stop."""
    began, _, rest = stderr.partition("\n")
    assert began.startswith("::stop-commands::"), "commands were taken from the beginning"
    found, token = [], began.removeprefix("::stop-commands::")
    for line in (stdout + rest).splitlines():
        command = line.strip()
        if token:
            token = "" if command == f"::{token}::" else token
        elif command.startswith("::stop-commands::"):
            token = command.removeprefix("::stop-commands::")
        elif command.startswith("::"):
            found.append(command)
    assert not token, "GitHub is left deaf to the steps that follow"
    return found


@pytest.fixture
def job(tmp_path: Path, shop: str, pool: Workers) -> Job:
    folder = Folder(tmp_path, shop, pool)
    folder.write("journeys/slow.py", BUDGET)
    folder.write("broken", "#!/bin/sh\nexit 1\n").chmod(0o755)
    return Job(folder)


@pytest.mark.parametrize("name", thorough_but(len(OFTEN), sorted(CASES, key=lambda name: name not in OFTEN)))
def test_a_job_is_told_what_came_of_it(name: str, job: Job, shop: str, slow_shop: str) -> None:
    case = CASES[name]
    words = [{SLOW: slow_shop, FAST: shop}.get(word, word) for word in case.command]
    code, annotations, text = job.run(*words, "--junit", "junit.xml", "--markdown", "comment.md")
    assert code == case.code, text
    # A crowded machine is a warning.
    errors = [one for one in annotations if one.startswith("::error")]
    assert len(errors) == len(case.annotations), errors
    for annotation, beginning in zip(errors, case.annotations, strict=True):
        assert annotation.startswith(beginning)
    document = etree.parse(job.folder.path / "junit.xml")
    SCHEMA.assertValid(document)
    assert tuple(int(document.getroot().get(name)) for name in ("tests", "failures", "errors")) == case.counts
    summary = job.summary.read_text()
    assert summary == (job.folder.path / "comment.md").read_text() + "\n"
    assert rendered(summary.splitlines()[0]).text_content().strip().replace("\u200b", "").startswith(case.summary)
    assert_inert(rendered(summary))


@pytest.mark.thorough
def test_what_a_page_or_a_journey_says_is_no_command(job: Job) -> None:
    job.folder.write(
        "journeys/say.py",
        "from runner import journey\n@journey\ndef say(page):\n    print('::warning::said')\n    raise AssertionError('a\\n::error::thrown')",
    )
    code, annotations, text = job.process("run", "say")
    assert (code, "::error::thrown" in text, "::warning::said" in text) == (1, True, True)
    annotation, note = annotations
    assert "the journey was walked once more" in note
    assert annotation.startswith("::error file=journeys/say.py,line=5,title=journey say%2C step “say” (assertion)::a%0A")
    assert job.process("show", "last")[1] == []


@pytest.mark.thorough
def test_annotations_do_not_disturb_a_report_on_standard_output(job: Job) -> None:
    ran = job.folder.journey("run", "fall", "--junit", "-", **job.environment)
    SCHEMA.assertValid(etree.fromstring(ran.stdout.encode()))
    assert "::error file=journeys/walk.py" in ran.stderr


def test_an_error_before_any_run_is_annotated(job: Job) -> None:
    code, annotations, text = job.run("run", "walk", "--browser-path", "/nowhere/chromium")
    assert code == 3
    (annotation,) = annotations
    assert annotation.startswith("::error title=journey::browser_path: /nowhere/chromium is not a program; install one with ")
    assert "Traceback" not in text


def test_two_reports_on_standard_output_are_refused_before_anything_runs(job: Job) -> None:
    code, _, text = job.run("run", "walk", "--json", "-", "--junit", "-")
    assert code == 2
    assert "--junit and --json cannot both go to standard output" in text
    assert not (job.folder.path / "runs").exists()


def test_a_report_that_cannot_be_written_does_not_cost_the_others(job: Job) -> None:
    code, _, text = job.run("run", "walk", "--junit", "no/such/a.xml", "--markdown", "comment.md")
    assert code == 2
    assert "--junit no/such/a.xml: cannot be written: No such file or directory; name a file in a folder that exists" in text
    assert (job.folder.path / "comment.md").is_file()
    assert len(list((job.folder.path / "runs" / "walk").iterdir())) == 1


@pytest.mark.thorough
def test_elsewhere_nothing_is_annotated(job: Job) -> None:
    ran = job.folder.journey("run", "fall", "--junit", "junit.xml")
    assert ran.returncode == 1
    assert "::error" not in ran.stdout + ran.stderr
    assert not job.summary.exists()
