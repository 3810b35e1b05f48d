"""Settings: their layers, and mistakes named with file or variable, key and fix."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.dsl.discovery import load_journeys
from runner.dsl.options import list_options
from runner.dsl.plan import plan
from runner.errors import ConfigError
from runner.settings.artifact_kinds import ARTIFACT_KINDS
from runner.settings.load_settings import load_settings
from runner.settings.parse_setting import OF_A_JOURNEY, parse_setting
from runner.settings.secrets import Secret
from runner.settings.setting_parsers import SECRET_FILES, list_parsers
from runner.settings.settings import Settings
from runner.untrusted_text import printable, well_formed


def test_later_layers_win(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(
        "base_url = 'http://file.example'\nretries = 1\ntimeout = '20s'\nlocation = 'office'\n"
    )
    settings = load_settings(
        tmp_path, {"retries": 3, "timeout": None}, {"JOURNEY_BASE_URL": "http://env.example", "JOURNEY_RETRIES": "2"}
    )
    assert (settings.base_url, settings.retries, settings.timeout, settings.location) == (
        "http://env.example",
        3,
        20.0,
        "office",
    )
    assert [settings.origin(key) for key in ("base_url", "retries", "timeout", "workers")] == [
        "environment",
        "option",
        "file",
        "default",
    ]


def test_pyproject_is_read_from_a_folder_above_and_paths_start_there(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.journey]\njourneys = ['walks', 'more']\nruns_dir = 'out'\n")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    settings = load_settings(deep, {}, {})
    assert (settings.journeys, settings.runs_dir) == ((tmp_path / "walks", tmp_path / "more"), tmp_path / "out")


def test_an_environment_is_laid_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(
        "base_url = 'http://live.example'\nretries = 1\n[env.staging]\nbase_url = 'http://staging.example'\n"
    )
    assert load_settings(tmp_path, {}, {}, "staging").base_url == "http://staging.example"
    assert load_settings(tmp_path, {}, {"JOURNEY_ENV": "staging"}).retries == 1
    with pytest.raises(ConfigError, match=r"no environment named 'stagging' \(there are: staging\)"):
        load_settings(tmp_path, {}, {}, "stagging")


def test_params_of_all_layers_come_together(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("[params]\nproduct = 'sencha'\nsize = 1\n")
    settings = load_settings(tmp_path, {"params": {"size": "2"}}, {"JOURNEY_PARAM_USER": "me"})
    assert settings.params == {"product": "sencha", "size": "2", "user": "me"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base_ulr = 'x'", "journey.toml: base_ulr is not a setting; did you mean"),
        ("retries = 'many'", "journey.toml: retries: 'many' is not a count; write a whole number from 0"),
        ("timeout = '5 parsecs'", "journey.toml: timeout: '5 parsecs' is not a duration"),
        ("workers = 0", "journey.toml: workers: 0 is too few"),
        ("trace = 'maybe'", "journey.toml: trace: 'maybe' is not a policy"),
        ("pushgateway_password = 'x'", "set JOURNEY_PUSHGATEWAY_PASSWORD, or set pushgateway_password_file"),
        ("pushgateway_password_file = 'none.txt'", "journey.toml: pushgateway_password_file: "),
        ("= 1", "journey.toml: cannot be read as TOML"),
        (f"redact = {'[' * 5_000}{']' * 5_000}", "journey.toml: cannot be read as TOML: it is nested too deeply"),
        ("BASE_URL = 'x'", "journey.toml: base_url?"),
        (
            "[tool.journey]",
            "journey.toml: tool is not a setting; in journey.toml, settings are at the top; remove [tool.journey]",
        ),
        (
            "proxy = 'http://p'",
            "journey.toml: proxy is not a setting; it is an option of a journey; write it where the journey",
        ),
        ("[mock]", "declared: @journey(mock=…)"),
        ("[evn.staging]", "journey.toml: evn is not a setting; did you mean [env.NAME]?"),
        ("env = 'staging'", "journey.toml: env is not a table of environments"),
        ("[env.staging]\nbase_ulr = 'x'", "journey.toml: env.staging.base_ulr is not a setting; did you mean"),
        ("runs_dir = 5", "journey.toml: runs_dir: 5 is not a path"),
        ("retries = 1_000_000_001", "journey.toml: retries: 1000000001 is too large; write at most 1000000000"),
        ("keep_size = '1000001TB'", "journey.toml: keep_size: '1000001TB' is too large; write at most '1000000TB'"),
        ("timeout = '365001d'", "journey.toml: timeout: '365001d' is too long; write at most '365000d'"),
        ('location = "a\\u202eb"', "contains a character that cannot be seen"),
    ],
)
def test_a_mistake_in_the_file_names_file_key_and_fix(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "journey.toml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_settings(tmp_path, {}, {})


def test_every_option_of_a_journey_is_a_setting_or_said_to_be_none() -> None:
    assert set(list_options()) - set(list_parsers()) == OF_A_JOURNEY


ODD: tuple[object, ...] = (
    *(
        "",
        " ",
        "\ufeff",
        "\n",
        "''",
        "a\0b",
        "9" * 400,
        "-1",
        "\u0663",
        "~/x",
        "~nobody-here/x",
        "inf",
        "nan",
        "1e3",
        "caf\ud83d",
    ),
    *("a\x1b[31mb", "x" * 100_000, ":", ",,", "[1", "a=b", "0", "TRUE", "1_000", "\u202eabc", "/", "*", "0s", "9" * 30 + "GB"),
    *(
        "99999999999h",
        5,
        -1,
        0.5,
        10**400,
        True,
        None,
        [],
        [1],
        {},
        {"a": 1},
        [["a"]],
        [""],
        ["a\0"],
        float("inf"),
        float("nan"),
    ),
)
"""What people, editors, shells and pipelines write."""


@pytest.mark.parametrize("name", list_parsers())
def test_whatever_is_written_a_setting_is_read_or_its_mistake_is_shown(name: str, tmp_path: Path) -> None:
    for value in ODD:
        try:
            parse_setting(name, value, f"JOURNEY_{name.upper()}", tmp_path)
        except ConfigError as error:
            message = str(error)
            assert message.startswith(f"JOURNEY_{name.upper()}: ")
            assert len(message) < 1_100
            assert message == printable(well_formed(message))


@pytest.mark.parametrize("kind", ["folder", "link that leads nowhere", "link to itself", "pipe"])
def test_a_configuration_file_that_is_not_a_file_is_named(kind: str, tmp_path: Path) -> None:
    """Reading the pipe would wait forever, and without the file the defaults would apply."""
    file = tmp_path / "journey.toml"
    made: dict[str, Callable[[], None]] = {
        "folder": file.mkdir,
        "link that leads nowhere": lambda: file.symlink_to("nowhere"),
        "link to itself": lambda: file.symlink_to(file),
        "pipe": lambda: os.mkfifo(file),
    }
    made[kind]()
    with pytest.raises(ConfigError, match=rf"{file}: is .*; remove it, or put a file with the settings in its place"):
        load_settings(tmp_path, {}, {})


def test_a_path_may_begin_with_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    (tmp_path / "journey.toml").write_text("runs_dir = '~/runs'\njourneys = ['~/walks']\n")
    settings = load_settings(tmp_path, {}, {"JOURNEY_SECRETS_DIR": "~"})
    assert (settings.runs_dir, settings.journeys) == (Path("/home/ada/runs"), (Path("/home/ada/walks"),))
    assert settings.secrets_dir == Path("/home/ada")


def test_a_mistake_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="JOURNEY_HEADED: 'maybe' is neither true nor false"):
        load_settings(tmp_path, {}, {"JOURNEY_HEADED": "maybe"})
    with pytest.raises(ConfigError, match=r"JOURNEY_RETRYS is not a setting; did you mean JOURNEY_RETRIES\?"):
        load_settings(tmp_path, {}, {"JOURNEY_RETRYS": "1"})


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://x:99999", "its port is not a number from 1 to 65535"),
        ("http://x:80a", "its port is not a number from 1 to 65535"),
        ("http://x:$PORT", "its port is not a number from 1 to 65535"),
        ("http://a b/", "it contains a space"),
        ("http://shop.example\u200b", "another character that cannot be seen"),
        ("127.0.0.1:8000", "did you mean 'http://127.0.0.1:8000'?"),
        ("shop.example/tea", "did you mean 'https://shop.example/tea'?"),
        ("//shop.example", "did you mean 'https://shop.example'?"),
        ("https//shop.example", "did you mean 'https://shop.example'?"),
        ("http:\\\\shop.example", "did you mean 'http://shop.example'?"),
        ("http://", "it has no host"),
        ("http://:80", "it has no host"),
        ("http://http://shop.example", "it has no host"),
        ("http://$HOST", "its host '$host' contains '$'"),
        ("http://a..b", "nothing between two dots"),
        ("http://1.2.3.256", "is not an IPv4 address"),
        ("http://[::1", "write an IPv6 address in brackets"),
        ("ftp://shop.example", "it begins with ftp://; only http:// and https:// are opened"),
        ("", "it is empty; write one such as"),
    ],
)
def test_an_address_that_no_browser_opens_is_refused_with_the_fix(address: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^--base-url: .*{re.escape(message)}"):
        load_settings(tmp_path, {"base_url": address}, {})
    (tmp_path / "journey.toml").write_text(f"public_url = '{address}'")
    with pytest.raises(ConfigError, match=f"journey.toml: public_url: .*{re.escape(message)}"):
        load_settings(tmp_path, {}, {})


@pytest.mark.parametrize(
    "address",
    [
        "HTTP://shop.example",
        "http://localhost:3000",
        "http://[::1]:80/a",
        "http://bücher.example",
        "http://127.1",
        "https://me:p%2Fw@a_b/",
    ],
)
def test_an_address_that_a_browser_opens_is_accepted_as_it_is(address: str, tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}, {"JOURNEY_BASE_URL": address}).base_url == address


def test_a_wrong_address_is_reported_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="JOURNEY_PUSHGATEWAY: ") as caught:
        load_settings(tmp_path, {}, {"JOURNEY_PUSHGATEWAY": "http://me:oo/long@gateway:99999"})
    assert "oo/long" not in str(caught.value)


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("timeout = '20s'\nrelease = '1'\n[params]\nproduct = 'sencha'\n")
    names = {name for name in list_parsers() if name not in {"release", "location", "params"}}
    empty = {f"JOURNEY_{name.upper()}": value for name in (*names, "env", "param_product") for value in ("", " ", "\r\n")}
    settings = load_settings(tmp_path, {}, empty)
    assert (settings.pushgateway, settings.timeout, settings.params) == (None, 20.0, {"product": "sencha"})
    assert settings.origin("timeout") == "file"
    # Two for which nothing is a value, too.
    assert load_settings(tmp_path, {}, {"JOURNEY_RELEASE": ""}).release == ""
    with pytest.raises(ConfigError, match="JOURNEY_LOCATION: '' is empty; write a text"):
        load_settings(tmp_path, {}, {"JOURNEY_LOCATION": ""})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_and_line_ends_are_not_part_of_a_value(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes("0123456789abcdef\r\n".encode(encoding))
    (tmp_path / "journey.toml").write_bytes(
        'location = """\r\nbüro\r\n"""\r\nserve_token_file = "token"\r\n[params]\r\na = "b\\n"\r\n'.encode(encoding)
    )
    settings = load_settings(tmp_path, {"timeout": "\ufeff3s\n"}, {"JOURNEY_BASE_URL": "\ufeffhttp://shop.example\r\n"})
    assert (settings.location, settings.base_url, settings.timeout) == ("büro", "http://shop.example", 3.0)
    assert (settings.params, settings.serve_token) == ({"a": "b"}, Secret("0123456789abcdef"))


def test_a_mistake_in_an_option_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--base-url: 'shop' is not an address"):
        load_settings(tmp_path, {"base_url": "shop"}, {})


def test_secrets_come_from_files_and_the_environment_and_do_not_print(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc123\n")
    (tmp_path / "journey.toml").write_text("pushgateway_bearer_token_file = 'token'\npushgateway = 'gw:9091'\n")
    settings = load_settings(tmp_path, {}, {"JOURNEY_PUSHGATEWAY_PASSWORD": "hush"})
    assert settings.pushgateway == "http://gw:9091"
    assert settings.pushgateway_bearer_token is not None
    assert settings.pushgateway_bearer_token.reveal() == "abc123"
    assert "hush" not in repr(settings)
    assert "abc123" not in repr(settings)


def test_every_setting_can_be_given(tmp_path: Path) -> None:
    fields = set(Settings.__struct_fields__) - {"origins", "artifact_policies"} | set(ARTIFACT_KINDS)
    assert {name.removesuffix("_file") if name in SECRET_FILES else name for name in list_parsers()} == fields


def test_a_journey_wins_over_the_file_and_the_environment_over_the_journey(tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    file.write_text("from runner import journey\n@journey(base_url='http://own.example', retries=5)\ndef a(page): ...\n")
    (journey,) = load_journeys(file)
    (tmp_path / "journey.toml").write_text("base_url = 'http://file.example'\nretries = 1\n")
    assert plan(journey, load_settings(tmp_path, {}, {})).base_url == "http://own.example"
    settings = load_settings(tmp_path, {"retries": 0}, {"JOURNEY_BASE_URL": "http://env.example"})
    assert (plan(journey, settings).base_url, plan(journey, settings).retries) == ("http://env.example", 0)


@pytest.mark.parametrize("name", ["journeys.db", "journeys.db-wal", "report.html"])
def test_a_journey_with_the_name_of_a_file_beside_its_runs_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    file.write_text(f"from runner import journey\n@journey(name={name!r})\ndef a(page): ...\n")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "report.html").touch()
    (journey,) = load_journeys(file)
    with pytest.raises(ConfigError, match=rf"walk\.py:2: the runs of {name!r} need a folder .*; rename the journey, or"):
        plan(journey, load_settings(tmp_path, {}, {}))
    elsewhere = {"runs_dir": "elsewhere", "database": f"sqlite:///{tmp_path / 'history'}"}
    assert plan(journey, load_settings(tmp_path, elsewhere, {})).journey == name


def test_a_missing_storage_state_is_named_with_the_journey(tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    file.write_text("from runner import journey\n@journey(storage_state='state.json')\ndef a(page): ...\n")
    (journey,) = load_journeys(file)
    with pytest.raises(ConfigError, match=r"walk\.py:2: option storage_state: .*state\.json does not exist"):
        plan(journey, load_settings(tmp_path, {}, {}))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (0.1, (0.1, None)),
        ("0.1", (0.1, None)),
        ("10%", (0.1, None)),
        ("12.5 %, 20ms", (0.125, 0.02)),
        ("50ms", (None, 0.05)),
        ("150%", (1.5, None)),
        (0, (0.0, None)),
    ],
)
def test_a_tolerance_is_a_share_a_time_or_both(written: object, read: tuple[float | None, float | None]) -> None:
    assert load_settings(Path("/"), {"smoke_tolerance": written}, {}).smoke_tolerance == read


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("tolerance", "10", "'10' is 10 times the baseline; write '10%' for a percentage"),
        ("tolerance", "a little", "'a little' is not a tolerance; write a percentage such as '10%'"),
        ("tolerance", "-1%", "'-1%' is not a tolerance"),
        ("undecided", "maybe", "'maybe' is neither 'pass' nor 'fail'"),
        ("looks", "8,8", "'8,8' is not a list of rising numbers of runs"),
        ("looks", "few", "'few' is not a count"),
        ("alarm", "0", "'0' is not valid; it must be a probability between 0 and 0.5"),
        ("miss", "0.5", "'0.5' is not valid; it must be a probability between 0 and 0.5"),
        ("miss", "2", "'2' is not a fraction"),
        ("runs", "0", "0 is too few"),
    ],
)
def test_a_mistake_about_smoke_checks_names_the_option_or_the_variable(setting: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"--{setting}: {message}")):
        load_settings(Path("/"), {f"smoke_{setting}": value}, {})
    with pytest.raises(ConfigError, match=re.escape(f"JOURNEY_SMOKE_{setting.upper()}: {message}")):
        load_settings(Path("/"), {}, {f"JOURNEY_SMOKE_{setting.upper()}": value})


def test_addresses_that_kubernetes_sets_for_a_service_are_no_settings(tmp_path: Path) -> None:
    # What a pod sees beside the services `journey` and `journey-dashboard`, as the kubelet writes it.
    injected = {
        f"{service}_{name}": value
        for service in ("JOURNEY", "JOURNEY_DASHBOARD")
        for name, value in {
            "SERVICE_HOST": "10.0.171.239",
            "SERVICE_PORT": "9464",
            "SERVICE_PORT_METRICS": "9464",
            "PORT": "tcp://10.0.171.239:9464",
            "PORT_9464_TCP": "tcp://10.0.171.239:9464",
            "PORT_9464_TCP_PROTO": "tcp",
            "PORT_9464_TCP_PORT": "9464",
            "PORT_9464_TCP_ADDR": "10.0.171.239",
            "PORT_53_UDP_PORT": "53",
        }.items()
    }
    settings = load_settings(tmp_path, {}, {**injected, "JOURNEY_PARAM_SERVICE_PORT": "80", "JOURNEY_RETRIES": "1"})
    assert (settings.retries, settings.params) == (1, {"service_port": "80"})


def test_all_mistakes_of_the_settings_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("retrys = 1\ntimeout = 'soon'\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {"headed": "maybe"}, {"JOURNEY_WORKERS": "none"})
    lines = str(caught.value).splitlines()
    parts = ["journey.toml: retrys is not a setting", "journey.toml: timeout: ", "JOURNEY_WORKERS: ", "--headed: "]
    assert [part in line for part, line in zip(parts, lines, strict=True)] == [True] * 4


@pytest.mark.parametrize("variable", ["JOURNEY_PORT", "JOURNEY_SERVE_PORT"])
def test_a_port_that_a_user_sets_is_still_a_mistake(variable: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{variable} is not a setting"):
        load_settings(tmp_path, {}, {variable: "8080"})
