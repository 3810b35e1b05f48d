"""`journey user`, as somebody who keeps the list uses it."""

import subprocess
import sys
from pathlib import Path

from reports.web.access.password import fits
from reports.web.access.user import read


def run(folder: Path, *words: str, password: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runner.cli", "user", *words]
    return subprocess.run(command, cwd=folder, input=password, capture_output=True, text=True, timeout=30, check=False)


def test_somebody_is_added_changed_and_removed(tmp_path: Path) -> None:
    result = run(tmp_path, "add", "ada", "--role", "operate", password="oolong and milk\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert "ada is added in dashboard-users and may operate" in result.stdout
    assert "JOURNEY_SERVE_USERS=dashboard-users" in result.stdout
    ada = read(tmp_path / "dashboard-users")["ada"]
    assert ada.role == "operate"
    assert fits(ada, "oolong and milk")
    assert not fits(ada, "oolong and tea")
    assert "oolong" not in (tmp_path / "dashboard-users").read_text()
    result = run(tmp_path, "add", "ada", password="another password")
    assert "ada is changed in dashboard-users and may view" in result.stdout
    assert fits(read(tmp_path / "dashboard-users")["ada"], "another password")
    assert run(tmp_path, "add", "bob", "--no-password").returncode == 0
    assert not fits(read(tmp_path / "dashboard-users")["bob"], "-")
    assert run(tmp_path, "remove", "ada").returncode == 0
    assert list(read(tmp_path / "dashboard-users")) == ["bob"]


def test_the_list_of_the_settings_is_used(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("serve_users = 'etc/people'")
    result = run(tmp_path, "add", "ada", password="oolong and milk")
    assert (result.returncode, "JOURNEY_SERVE_USERS" in result.stdout) == (0, False)
    assert list(read(tmp_path / "etc" / "people")) == ["ada"]


def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    for words, password, why in (
        (("add", "a:b"), "oolong and milk", "'a:b' is no name"),
        (("add", "ada", "--role", "admin"), "oolong and milk", "choose view or operate"),
        (("add", "ada"), "short", "a password has 8 to 1024 characters"),
        (("remove", "ada"), "", "cannot be read"),
    ):
        result = run(tmp_path, *words, password=password)
        assert (result.returncode, why in result.stderr, "Traceback" in result.stderr) == (2, True, False), result.stderr
    assert not (tmp_path / "dashboard-users").exists()
    run(tmp_path, "add", "ada", password="oolong and milk")
    result = run(tmp_path, "remove", "eve")
    assert (result.returncode, "eve is not in dashboard-users; there are: ada" in result.stderr) == (2, True)
