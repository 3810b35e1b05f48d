"""What travels in a bundle, what does not, and what is said of it."""

import os
from pathlib import Path
from typing import Any

import pytest

from runner.bundles import contents
from runner.bundles.contents import BundleContents, find_root, list_contents
from runner.errors import ConfigError
from tests.runner.bundles.conftest import Project


def listed(project: Project, environ: dict[str, str] | None = None, **options: object) -> BundleContents:
    return list_contents(project.settings(environ, **options), project.folder)


def test_the_journeys_folder_travels_with_the_modules_that_it_imports(project: Project) -> None:
    project.write("journeys/shop/data.csv", "a,b\n")
    project.write("journeys/pictures/buy/home.png", b"\x89PNG")
    project.write("journeys/_own.py", "")
    project.write("journeys/later.py", "def f():\n    from helpers.forms import fill\n    import missing_everywhere\n")
    project.write("helpers/__init__.py", "")
    project.write("helpers/forms.py", "from . import texts\nfrom ..above import x\n")
    project.write("helpers/words.json", "{}")
    project.write("helpers/texts.py", "")
    project.write("above.py", "")
    project.write("site/settings.py", "not of any journey")
    assert set(listed(project).files) == {
        "pages.py", "above.py", "journeys/buy.py", "journeys/_own.py", "journeys/later.py", "journeys/shop/data.csv",
        "journeys/pictures/buy/home.png", "helpers/__init__.py", "helpers/forms.py", "helpers/words.json", "helpers/texts.py",
    }  # fmt: skip


def test_runs_caches_environments_and_hidden_files_stay(project: Project) -> None:
    for path in (
        "journeys/.cache/config", "journeys/.hidden", "journeys/__pycache__/buy.pyc", "journeys/node_modules/a/index.js",
        "journeys/_venv/pyvenv.cfg", "journeys/_venv/lib/a.py", "journeys/runs/buy/result.json", "journeys/old.pyc",
    ):  # fmt: skip
        project.write(path, "x")
    found = listed(project, runs_dir=project.folder / "journeys" / "runs")
    assert set(found.files) == {"pages.py", "journeys/buy.py"}
    assert found.left_out == {}


PRIVATE = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
STATE = '{"cookies": [{"name": "session", "value": "7"}], "origins": []}'


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("journeys/.env", "A=1", "of this name"),
        ("journeys/prod.ENV", "A=1", "of this name"),
        ("journeys/client.key", "x", "of this name"),
        ("journeys/client.p12", "x", "of this name"),
        ("journeys/id_ed25519", "x", "of this name"),
        ("journeys/client.pem", PRIVATE, "private key"),
        ("journeys/state.json", STATE, "signed-in browser"),
        ("journeys/passwords.txt", "PW=x", "secrets_file of the settings"),
        ("journeys/vault/PW", "x", "secrets_dir of the settings"),
        ("journeys/shop.har", '{"text": "pu-erh-of-2003"}', "secret 'PW'"),
    ],
)
def test_a_file_with_secrets_stays_and_is_named(project: Project, path: str, content: str, why: str) -> None:
    project.write("journeys/passwords.txt", "")
    (project.folder / "journeys" / "vault").mkdir()
    project.write(path, content)
    options: dict[str, Any] = {
        "secrets_file": project.folder / "journeys/passwords.txt",
        "secrets_dir": project.folder / "journeys/vault",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOURNEY_SECRET_PW", "pu-erh-of-2003")
        found = listed(project, **options)
    assert path not in found.files
    assert why in found.left_out[path]


def test_what_only_resembles_a_secret_travels(project: Project) -> None:
    project.write("journeys/authority.pem", "-----BEGIN CERTIFICATE-----\n")
    project.write("journeys/empty.json", '{"cookies": [], "origins": []}')
    project.write("journeys/broken.json", '{"cookies": 3, "origins": ')
    project.write("journeys/environment.txt", "")
    found = listed(project)
    assert found.left_out == {}
    assert {"journeys/authority.pem", "journeys/empty.json", "journeys/broken.json"} <= set(found.files)


def test_code_with_a_secret_in_it_is_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEY_SECRET_PW", "pu-erh-of-2003")
    project.write("pages.py", 'PASSWORD = "pu-erh-of-2003"\n')
    with pytest.raises(ConfigError, match=r"pages\.py: contains the value of secret 'PW'"):
        listed(project)


def test_what_the_settings_keep_secret_stays(project: Project) -> None:
    """With the key in the storage, whoever reads a bundle could sign another."""
    project.write("journeys/bundle-secret.txt", "f00df00df00df00df00df00d\n")
    project.write("journeys/compose.yaml", "BROKER: amqps://journeys:oolong@broker.example\n")
    project.write("journeys/alerts.txt", "slack://one/two/three mailto://a:b@c\n")
    project.write("journeys/notes.txt", "amqps://broker.example is the broker\n")
    found = listed(
        project,
        {
            "JOURNEY_BUNDLE_KEY_FILE": str(project.folder / "journeys" / "bundle-secret.txt"),
            "JOURNEY_BROKER": "amqps://journeys:oolong@broker.example",
            "JOURNEY_ALERT_URLS": "slack://one/two/three",
        },
    )
    assert found.left_out == {
        "journeys/bundle-secret.txt": "it contains the value of the setting bundle_key",
        "journeys/compose.yaml": "it contains the value of the setting broker",
        "journeys/alerts.txt": "it contains the value of the setting alert_urls",
    }
    assert "journeys/notes.txt" in listed(project, {"JOURNEY_BROKER": "amqps://broker.example"}).files
    project.write("journeys/buy.py", "KEY = 'f00df00df00df00df00df00d'\n")
    with pytest.raises(ConfigError, match="contains the value of the setting bundle_key; remove it from the code"):
        listed(project, {"JOURNEY_BUNDLE_KEY": "f00df00df00df00df00df00d"})


def test_a_pattern_that_is_not_one_is_named(project: Project) -> None:
    """From Python 3.13 on it is one, which matches nothing here."""
    with pytest.raises(ConfigError, match=r"bundle_include: '\*\*x'"):
        listed(project, bundle_include=("**x",))
    with pytest.raises(ConfigError, match=r"is not a pattern: .*name too long"):
        listed(project, bundle_include=("a" * 5_000,))


def test_settings_add_and_leave_out(project: Project) -> None:
    project.write("data/users.csv", "")
    project.write("journeys/state.json", STATE)
    project.write("journeys/film.mp4", "")
    found = listed(
        project,
        bundle_include=["data/**/*.csv", "journeys/state.json"],
        bundle_exclude=["journeys/*.mp4"],
        bundle_requires=["pytest"],
    )
    assert {"data/users.csv", "journeys/state.json"} <= set(found.files)
    assert "journeys/film.mp4" not in found.files
    assert "pytest" in found.packages
    with pytest.raises(ConfigError, match="bundle_include: 'nothing/here' matches no file"):
        listed(project, bundle_include=["nothing/here"])
    with pytest.raises(ConfigError, match="'no-such-package-here' is not installed"):
        listed(project, bundle_requires=["no-such-package-here"])
    for wrong in ("/etc/passwd", "../other", [3]):
        with pytest.raises(ConfigError, match=r"bundle-include: .* is not a (path|list)"):
            listed(project, bundle_include=wrong)


@pytest.mark.long
def test_packages_are_locked_that_are_imported_or_listed(project: Project) -> None:
    project.write("pages.py", "import yaml, json, playwright, runner\nHOME = '/'\n")
    project.write("requirements.txt", "# of the journeys\nlxml>=4 ; python_version > '3'\n-r more.txt\nnot-installed-here\n")
    found = listed(project).packages
    assert found.keys() == {"pyyaml", "lxml"}
    assert all(found.values())


def test_links_are_followed_as_discovery_does(project: Project) -> None:
    project.write("shared/search.py", "")
    (project.folder / "journeys" / "shared").symlink_to(project.folder / "shared")
    (project.folder / "journeys" / "around").symlink_to(project.folder / "journeys")
    found = set(listed(project).files)
    assert {"shared/search.py", "journeys/shared/search.py"} <= found
    assert not any("around" in one for one in found)


def test_a_folder_that_is_too_large_is_named_before_it_is_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with project.write("journeys/film.mp4", "").open("wb") as film:
        film.truncate(10**12)
    with pytest.raises(
        ConfigError, match=r"more than bundle_size = 1000000 bytes; the largest are journeys/film\.mp4 \(10{12}\)"
    ):
        listed(project, bundle_size="1MB")
    (project.folder / "journeys" / "film.mp4").unlink()
    monkeypatch.setattr(contents, "MOST_FILES", 2)
    project.write("journeys/third.txt", "")
    with pytest.raises(ConfigError, match="more than 2 files"):
        listed(project)


def test_names_that_another_machine_cannot_have_are_rejected(project: Project) -> None:
    project.write("journeys/tee/größe.txt", "")
    assert "journeys/tee/größe.txt" in listed(project).files
    for wrong, said in [
        ("journeys/Buy.py", "differ by case"),
        ("journeys/tee/gro\N{COMBINING DIAERESIS}ße.txt", "differ by case or accents"),
        ("journeys/a\\b.txt", "backslash"),
        ("journeys/line\nfeed.txt", "control character"),
        (os.fsdecode(b"journeys/\xff.txt"), "not UTF-8"),
        ("journeys/Tee/other.txt", "folders 'journeys/Tee' and 'journeys/tee'"),
    ]:
        file = Path(os.fsdecode(os.fsencode(project.folder / wrong)))
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
        with pytest.raises(ConfigError, match=said.replace("\\", "\\\\")):
            listed(project)
        file.unlink()
        if "Tee" in wrong:
            file.parent.rmdir()


def test_the_root_is_that_of_the_project(project: Project, tmp_path: Path) -> None:
    journeys = project.folder / "journeys"
    assert find_root([journeys], project.folder / "journeys" / "x") == project.folder
    (project.folder / "journey.toml").unlink()
    assert find_root([journeys], project.folder) == project.folder
    assert find_root([journeys / "buy.py"], tmp_path / "elsewhere") == journeys
    with pytest.raises(ConfigError, match="no folder in common"):
        find_root([journeys, Path("/usr")], tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="does not exist"):
        listed(project, journeys=[project.folder / "nowhere"])


def test_a_journey_outside_of_the_project_is_an_error(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("")
    (project.folder / "journeys" / "linked.py").symlink_to(tmp_path / "outside.py")
    with pytest.raises(ConfigError, match=r"outside\.py: is outside of .*, of which the bundle is made"):
        listed(project)
