"""`journey init` in folders of all kinds."""

import os
import resource
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup
from typer.testing import CliRunner

from runner.archive.atomic_write import FileChange, write_files
from runner.cli.all_commands import app
from runner.dsl.discovery import discover
from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from tests.support.needs import needs
from tests.support.thorough import thorough_but

ROOT = Path(__file__).parents[3]
MAIN = typer.main.get_command(app)
WORKFLOW = ".github/workflows/journeys.yml"


class Project:
    """A user's folder, and commands that are run in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    @needs("browser", "real_time")
    def journey(self, *words: str, bytes_at_most: int | None = None) -> "subprocess.CompletedProcess[str]":
        """Runs a command in a process of its own; its files may have `bytes_at_most`."""
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("JOURNEY_", "GITHUB_"))}

        def limit() -> None:
            if bytes_at_most is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_at_most, bytes_at_most))

        return subprocess.run(
            [sys.executable, "-m", "runner.cli", *words],
            cwd=self.path,
            env=plain,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
            preexec_fn=limit,
        )

    @needs("real_time")
    def refused(self, *words: str) -> str:
        """Runs `journey init`, which must refuse; returns what it says."""
        with chdir(self.path), pytest.raises(ConfigError) as caught:
            CliRunner().invoke(app, ["init", *words], catch_exceptions=False)
        assert caught.value.exit_code == 2
        return str(caught.value)

    @needs("real_time")
    def init(self, *words: str) -> str:
        """Runs `journey init`; returns what it says."""
        with chdir(self.path):
            ran = CliRunner().invoke(app, ["init", *words], catch_exceptions=False)
        assert (ran.exit_code, ran.stderr) == (0, ""), ran.stderr
        return ran.stdout

    def files(self) -> dict[str, bytes]:
        """Every file, with what is in it; empty folders too."""
        below = (one for one in sorted(self.path.rglob("*")) if ".git" not in one.relative_to(self.path).parts)
        return {str(one.relative_to(self.path)): one.read_bytes() if one.is_file() else b"" for one in below}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.long
def test_an_empty_folder_becomes_a_project_whose_journey_passes(project: Project, shop: str) -> None:
    ran = project.journey("init", "--base-url", shop)
    assert (ran.returncode, ran.stderr) == (0, "")
    said = ran.stdout
    assert {name for name, content in project.files().items() if content} == {
        "journey.toml",
        "journeys/home.py",
        WORKFLOW,
        ".gitlab-ci.yml",
        ".gitignore",
    }
    assert said.startswith("made:\n  journey.toml ")
    assert f"next:\n  journey install\n  journey check\n  journey run\n  journey record {shop} --name buy\n" in said
    assert project.journey("check").stdout == "ok: 1 journey in 1 file\n"
    ran = project.journey("run")
    assert (ran.returncode, "home  ✓ passed" in ran.stdout) == (0, True), ran.stdout


@pytest.mark.thorough
def test_the_journey_runs_against_an_address_of_the_command_line(project: Project, shop: str) -> None:
    said = project.init("site", "--name", "first-look", "--ci", "none")
    assert "  cd site\n  journey install\n  journey check\n  journey run --base-url https://shop.example\n" in said
    inside = Project(project.path / "site")
    assert set(inside.files()) == {"journey.toml", "journeys", "journeys/first_look.py", ".gitignore"}
    assert inside.journey("run", "first-look", "--base-url", shop).returncode == 0


def test_what_is_made_has_the_form_of_our_own_code(project: Project) -> None:
    project.init("--name", "first-look")
    for check in (["format", "--check"], ["check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
        ended = subprocess.run([*command, str(project.path / "journeys")], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("file", "schema"), [(WORKFLOW, ["vendor.github-workflows"]), (".gitlab-ci.yml", ["vendor.gitlab-ci"])]
)
def test_the_ci_files_are_valid_by_the_schemas_of_their_hosts(project: Project, file: str, schema: list[str]) -> None:
    project.init()
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema]
    command += ["--data-transform", "gitlab-ci"] if "gitlab" in file else []
    ended = subprocess.run([*command, str(project.path / file)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_ci_files_call_what_there_is(project: Project) -> None:
    assert isinstance(MAIN, TyperGroup)
    project.init()
    github = yaml.safe_load((project.path / WORKFLOW).read_text())
    assert github[True].keys() >= {"pull_request", "schedule"}  # YAML 1.1 takes `on` for true
    steps = [step for job in github["jobs"].values() for step in job["steps"]]
    uploads = [step for step in steps if "upload-artifact" in step.get("uses", "")]
    assert all(step["if"] == "always()" and "runs/" in step["with"]["path"] for step in uploads)
    gitlab = yaml.safe_load((project.path / ".gitlab-ci.yml").read_text())
    assert gitlab["journeys"]["artifacts"]["reports"]["junit"] == "smoke.xml"
    lines = [step["run"] for step in steps if "run" in step]
    lines += [line for job in gitlab.values() for line in (*job.get("before_script", ()), *job.get("script", ()))]
    for line in lines:
        program, command, *options = line.split()
        if program == "journey" and (command in MAIN.commands or command != "smoke"):
            known = {word for one in MAIN.commands[command].params for word in one.opts}
            assert {option for option in options if option.startswith("--")} - known == set(), line


@pytest.mark.parametrize(
    ("before", "remote", "made"),
    thorough_but(
        2,
        [
            ({}, None, {WORKFLOW, ".gitlab-ci.yml"}),
            ({".github/dependabot.yml": "version: 2\n"}, None, {WORKFLOW}),
            ({}, "git@github.com:me/shop.git", {WORKFLOW}),
            ({}, "https://gitlab.example.org/github/shop.git", {".gitlab-ci.yml"}),
            ({".gitlab-ci.yml": "test: {script: [make]}\n"}, None, {".gitlab/journeys.yml"}),
        ],
    ),
)
def test_the_folder_tells_which_ci_it_has(project: Project, before: dict[str, str], remote: str | None, made: set[str]) -> None:
    for name, text in before.items():
        project.write(name, text)
    if remote:
        for words in (["init", "--quiet"], ["remote", "add", "origin", remote]):
            subprocess.run(["git", *words], cwd=project.path, check=True)
    said = project.init()
    assert {WORKFLOW, ".gitlab-ci.yml", ".gitlab/journeys.yml"} & set(project.files()) == made | (
        {".gitlab-ci.yml"} & set(before)
    )
    assert ("add to .gitlab-ci.yml:\n  include: /.gitlab/journeys.yml" in said) == (".gitlab/journeys.yml" in made)
    assert {name: project.files()[name] for name in before} == {name: text.encode() for name, text in before.items()}


def test_a_folder_below_the_top_of_its_repository_is_told_where_ci_looks(project: Project) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=project.path, check=True)
    assert f"CI reads only the top of the repository, {project.path}: move its files there" in project.init("monitor")
    assert "CI reads only" not in project.init("other", "--ci", "none")


@pytest.mark.parametrize(
    "content",
    [
        b'[project]\nname = "shop"  # ours\n',
        b'[project]\r\nname = "shop"\r\n\r\n[tool.ruff]\r\nline-length = 99\r\n',
        b"[tool.ruff]\nline-length = 99",
        b"",
    ],
)
def test_a_pyproject_gets_a_table_and_stays_the_same_otherwise(project: Project, content: bytes) -> None:
    file = project.path / "pyproject.toml"
    file.write_bytes(content)
    file.chmod(0o640)
    said = project.init("--base-url", "https://shop.example")
    after = file.read_bytes()
    assert after.startswith(content)
    assert b"[tool.journey]" in after[len(content) :]
    assert (b"\r\n" in after) == (b"\r\n" in content)
    assert after.replace(b"\r\n", b"").count(b"\n") == (0 if b"\r\n" in content else after.count(b"\n"))
    assert file.stat().st_mode & 0o777 == 0o640
    assert not (project.path / "journey.toml").exists()
    assert "pyproject.toml " in said.partition("not changed")[0]
    assert load_settings(project.path, {}, {}).base_url == "https://shop.example"


def test_a_pyproject_with_a_table_is_left_alone(project: Project) -> None:
    project.write("pyproject.toml", "[tool.journey]\nretries = 1\n")
    said = project.init("--base-url", "https://other.example", "--force")
    assert project.files()["pyproject.toml"] == b"[tool.journey]\nretries = 1\n"
    assert "pyproject.toml  has a table [tool.journey]" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[project\n", "pyproject.toml: cannot be read as TOML"),
        ("tool = {ruff = {line-length = 99}}\n", "pyproject.toml: a table [tool.journey] cannot be added"),
    ],
)
def test_a_pyproject_that_cannot_take_a_table_is_left_as_it_is(project: Project, content: str, message: str) -> None:
    project.write("pyproject.toml", content)
    said = project.refused()
    assert message in said
    assert "--no-pyproject" in said
    assert project.files() == {"pyproject.toml": content.encode()}
    if content.startswith("tool"):
        project.init("--no-pyproject")
        assert project.files()["pyproject.toml"] == content.encode()
        assert "journey.toml" in project.files()


def test_journeys_go_where_the_settings_look_for_them(project: Project) -> None:
    project.write("pyproject.toml", '[tool.journey]\njourneys = ["monitor/walks"]\n')
    project.init("--ci", "none")
    assert "monitor/walks/home.py" in project.files()
    (found,) = discover(load_settings(project.path, {}, {}).journeys)
    assert found.name == "home"


def test_a_second_init_changes_nothing(project: Project) -> None:
    project.init()
    before = project.files()
    said = project.init()
    assert said.startswith("nothing to create; everything exists\nnot changed:\n")
    assert project.files() == before


@pytest.mark.long
def test_what_was_changed_is_never_overwritten(project: Project) -> None:
    project.init()
    home = project.path / "journeys" / "home.py"
    home.write_text(home.read_text() + "# mine\n")
    before = project.files()
    assert "journeys/home.py                is there" in project.init("--base-url", "https://shop.example")
    assert project.files() == before
    said = project.refused("--force", "--base-url", "https://shop.example")
    assert f"{home} was changed, and is not overwritten; move it away, or leave --force out" in said
    assert project.files() == before


def test_force_makes_anew_what_nobody_changed(project: Project) -> None:
    project.init()
    said = project.init("--force", "--base-url", "https://shop.example")
    assert "made:\n  journey.toml  settings, made again\n" in said
    assert b'base_url = "https://shop.example"' in project.files()["journey.toml"]


def test_gitignore_gets_its_line_once(project: Project) -> None:
    project.write(".gitignore", "*.pyc\r\n.venv")
    project.init("--ci", "none")
    assert project.files()[".gitignore"] == b"*.pyc\r\n.venv\r\nruns/\r\n"
    project.init("--ci", "none")
    assert project.files()[".gitignore"].count(b"runs/") == 1


def test_a_failure_half_way_leaves_nothing(project: Project) -> None:
    content = "[project]\nname = 'shop'\n"
    project.write("pyproject.toml", content)
    # Files may have 1,100 bytes: the settings have room, the workflow has not.
    ran = project.journey("init", bytes_at_most=1_100)
    assert ran.returncode == 2
    assert "journeys.yml" in ran.stderr
    assert "cannot be written: File too large; nothing was changed" in ran.stderr
    assert project.files() == {"pyproject.toml": content.encode()}


def test_a_place_that_is_taken_leaves_nothing(project: Project) -> None:
    project.write(".github", "a file where a folder must be\n")
    assert ".github cannot be written: " in project.refused()
    assert set(project.files()) == {".github"}


def test_a_change_that_fails_last_is_taken_back(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "new" / "b"
    first.write_bytes(b"1")
    second.parent.mkdir()
    second.write_bytes(b"another's")
    with pytest.raises(ConfigError, match="already exists and is not overwritten"):
        write_files({first: FileChange(b"1", b"2"), tmp_path / "c": FileChange(None, b"3"), second: FileChange(None, b"4")})
    assert {one.name: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == {"a": b"1", "b": b"another's"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--base-url", "shop.example"),
            "--base-url: 'shop.example' is not an address: it does not begin with http:// or https://; did you mean",
        ),
        (("--name", "a b"), "--name: 'a b' is not a name for a journey"),
        (("--ci", "jenkins"), "--ci 'jenkins' is not known; choose one of github, gitlab, both, none"),
        (("file",), "file is a file; name a folder"),
    ],
)
def test_what_init_refuses(project: Project, words: tuple[str, ...], message: str) -> None:
    project.write("file", "")
    assert message in project.refused(*words)
    assert set(project.files()) == {"file"}
