"""`journey user`, as somebody who keeps the list uses it."""

import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.web.access.passwords.hashing import verify_password
from reports.web.access.users_file import read_users
from runner.cli.all_commands import app
from runner.errors import JourneyError


def run(folder: Path, *words: str, password: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runner.cli", "user", *words]
    return subprocess.run(command, cwd=folder, input=password, capture_output=True, text=True, timeout=30, check=False)


def here(folder: Path, *words: str, password: str = "") -> tuple[int, str]:
    """The same in this process, which is quicker; its exit code and what it says."""
    with chdir(folder):
        ran = CliRunner().invoke(app, ["user", *words], input=password)
    if isinstance(ran.exception, JourneyError):
        return ran.exception.exit_code, str(ran.exception)
    return ran.exit_code, ran.output


@pytest.mark.long
def test_somebody_is_added_changed_and_removed(tmp_path: Path) -> None:
    result = run(tmp_path, "add", "ada", "--role", "operate", password="oolong and milk\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert "ada is added in dashboard-users and may operate" in result.stdout
    assert "JOURNEY_SERVE_USERS=dashboard-users" in result.stdout
    ada = read_users(tmp_path / "dashboard-users")["ada"]
    assert ada.role == "operate"
    assert verify_password(ada, "oolong and milk")
    assert not verify_password(ada, "oolong and tea")
    assert "oolong" not in (tmp_path / "dashboard-users").read_text()
    _, said = here(tmp_path, "add", "ada", password="another password")
    assert "ada is changed in dashboard-users and may view" in said
    assert verify_password(read_users(tmp_path / "dashboard-users")["ada"], "another password")
    assert here(tmp_path, "add", "bob", "--no-password")[0] == 0
    assert not verify_password(read_users(tmp_path / "dashboard-users")["bob"], "-")
    assert here(tmp_path, "remove", "ada")[0] == 0
    assert list(read_users(tmp_path / "dashboard-users")) == ["bob"]


@pytest.mark.long
def test_the_list_of_the_settings_is_used(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("serve_users = 'etc/people'")
    code, said = here(tmp_path, "add", "ada", password="oolong and milk")
    assert (code, "JOURNEY_SERVE_USERS" in said) == (0, False)
    assert list(read_users(tmp_path / "etc" / "people")) == ["ada"]


@pytest.mark.long
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    for words, password, why in (
        (("add", "a:b"), "oolong and milk", "'a:b' is not a valid name"),
        (("add", "ada", "--role", "admin"), "oolong and milk", "choose view or operate"),
        (("add", "ada"), "short", "a password must have 12 to 1024 characters"),
        (("add", "ada"), "qwerty123456", "on the list of common and stolen passwords"),
        (("add", "ada.lovelace"), "adalovelace1815", "the user's name"),
        (("remove", "ada"), "", "cannot be read"),
    ):
        code, said = here(tmp_path, *words, password=password)
        assert (code, why in said) == (2, True), said
    assert not (tmp_path / "dashboard-users").exists()
    here(tmp_path, "add", "ada", password="oolong and milk")
    code, said = here(tmp_path, "remove", "eve")
    assert (code, "eve is not in dashboard-users; there are: ada" in said) == (2, True), said
