"""`journey bundle`, and a run that was made from a bundle."""

import json
from collections.abc import Sequence

import pytest
from rich.console import Console

from reports.terminal.run_detail import render_run
from runner.bundles.packed_plan import pack_plan, unpack_plan
from runner.bundles.publish_bundle import publish_bundle
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.errors import ConfigError
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.runner.bundles.conftest import KEY, OTHER_KEY, Project
from tests.support.commands import Ended, run_here


def command(project: Project, *words: str, key: str = KEY.reveal()) -> Ended:
    environment = {"JOURNEY_ARTIFACTS": f"file://{project.store}", "JOURNEY_BUNDLE_KEY": key}
    return run_here(project.folder, ["bundle", *words], environment)


def test_a_bundle_is_made_shown_and_verified(project: Project) -> None:
    project.write("journeys/.env", "A=1")
    made = command(project, "make", "--upload")
    assert made.returncode == 0, made.stderr
    digest = made.stdout.splitlines()[0].removeprefix("bundle ")
    assert "does not travel: journeys/.env: files of this name hold secrets" in made.stdout
    assert made.stdout.splitlines()[-1] == "uploaded"
    assert command(project, "make", "--upload").stdout.splitlines()[-1] == "the storage has it already"
    shown = command(project, "show", digest[:12], "--files").stdout
    assert "2 files" in shown
    assert "journeys/buy.py" in shown
    assert "does not travel: journeys/.env" in shown
    document = json.loads(command(project, "show", digest, "--json", "-").stdout)
    assert document["digest"] == digest
    assert [one["path"] for one in document["files"]] == ["journeys/buy.py", "pages.py"]
    again = json.loads(command(project, "make", "--json", "-").stdout)
    assert again["left_out"] == {"journeys/.env": "files of this name hold secrets"}
    assert command(project, "verify", digest[:12]).returncode == 0
    assert command(project, "verify", again["path"]).returncode == 0
    project.stored_archive(digest).write_bytes(b"")
    refused = command(project, "verify", digest[:12])
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "error: bundle" in refused.stderr


@pytest.mark.parametrize(
    ("words", "key", "code", "said"),
    [
        (["verify", "0"], KEY.reveal(), 3, "has no bundle whose digest begins with '0'"),
        (["verify", "nowhere.tar.gz"], KEY.reveal(), 3, "nowhere.tar.gz: cannot be read: No such file or directory"),
        (["verify", "no/file"], KEY.reveal(), 3, "cannot be read: No such file or directory"),
        (["verify", "./pages.py"], KEY.reveal(), 3, "damaged"),
        (["show", "/dev/null"], KEY.reveal(), 3, "/dev/null: is not a regular file"),
        (["make", "--upload"], "", 2, "bundle_key is not set"),
        (["show", ""], KEY.reveal(), 3, "no bundle"),
        (["make", "--output", "/proc/none"], KEY.reveal(), 2, "cannot create the bundle"),
        (["make", "--output", "pages.py/x"], KEY.reveal(), 2, "pages.py: Not a directory"),
    ],
)
def test_what_is_wrong_is_said(project: Project, words: Sequence[str], key: str, code: int, said: str) -> None:
    ended = command(project, *words, key=key)
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr


def test_only_the_last_bundles_stay_where_they_are_made(project: Project) -> None:
    settings = project.settings({"JOURNEY_BUNDLE_KEY": KEY.reveal()})
    digests = []
    for number in range(5):
        project.write("pages.py", f'HOME = "/{number}"\n')
        digests.append(publish_bundle(settings, project.folder).digest)
    assert len(list((settings.runs_dir / ".bundles" / "made").glob("*.tar.gz"))) == 3
    for digest in digests:
        project.open(digest).close()
    with pytest.raises(ConfigError, match="artifacts is not set"):
        publish_bundle(project.settings({"JOURNEY_BUNDLE_KEY": OTHER_KEY.reveal()}, artifacts=None), project.folder)


JOURNEYS = """
from runner import check, journey

@journey(mock={"/api/stock": "stock.json"})
def buy(page, step):
    with step("open"):
        page.goto("/api/stock")
        assert "from the bundle" in page.content()

@check(basic_auth=("me", "oolong-and-milk"))
def answers(http):
    http.get("/", status=200)
"""


@pytest.mark.long
def test_a_run_from_a_bundle_names_it(project: Project, monitor: Monitor) -> None:
    project.write("journeys/buy.py", JOURNEYS)
    project.write("journeys/stock.json", '{"stock": "from the bundle"}')
    settings = project.settings(base_url=monitor.shop)
    packed = [
        pack_plan(plan(one, settings), project.publish()) for one in load_journeys(project.folder / "journeys" / "buy.py")
    ]
    (project.folder / "journeys" / "stock.json").write_text("changed since")
    with project.open(packed[0].bundle) as opened:
        plans = [unpack_plan(one, opened.folder, settings) for one in packed]
        results = run_plans(monitor.pool, plans, monitor.chromium, settings, monitor.archive, [])
    assert {one.journey: (one.status, one.bundle) for one in results} == {
        "buy": ("passed", packed[0].bundle),
        "answers": ("passed", packed[0].bundle),
    }, [one.failure for one in results]
    saved = list(monitor.archive.runs())
    assert {one.result.bundle for one in saved} == {packed[0].bundle}
    shown = Console(width=120)
    with shown.capture() as said:
        shown.print(render_run(saved[0]))
    assert f"bundle {packed[0].bundle[:12]}" in said.get()
