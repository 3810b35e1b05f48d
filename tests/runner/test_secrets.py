"""Secret values that do not print."""

import pickle
from pathlib import Path

import msgspec
import pyotp
import pytest

from runner import Secret, SecretMissing
from runner.errors import ConfigError
from runner.settings.secrets import Secrets, find_missing


def test_a_secret_shows_as_dots_wherever_it_is_printed() -> None:
    secret = Secret("oolong")
    assert [str(secret), repr(secret), f"{secret:>5}", f"{[secret]}"] == ["•••", "•••", "  •••", "[•••]"]
    assert secret.reveal() == "oolong"


def test_a_secret_does_not_leave_the_process_by_accident() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("oolong"))
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret("oolong"))


def test_secrets_are_read_from_the_environment() -> None:
    secrets = Secrets({"JOURNEY_SECRET_PW": "oolong", "OTHER": "x"})
    assert secrets["PW"].reveal() == "oolong"
    assert (list(secrets), "PW" in secrets, "OTHER" in secrets) == (["PW"], True, False)
    assert secrets["PW"] == Secret("oolong")


def test_a_missing_secret_names_every_place_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("")
    with pytest.raises(SecretMissing) as caught:
        Secrets({}, tmp_path, tmp_path / ".env")["PW"]
    assert str(caught.value) == (
        "secret 'PW' is not set; set it in the environment variable JOURNEY_SECRET_PW, or "
        f"in the file {tmp_path / 'PW'}, or as PW=… in {tmp_path / '.env'}"
    )
    assert find_missing(["PW", "TOKEN"], Secrets({"JOURNEY_SECRET_TOKEN": "x"})) == ["PW"]


def test_the_environment_wins_over_the_folder_and_the_folder_over_the_file(tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    (mounted / "..data").mkdir(parents=True)
    (mounted / "..data" / "B").write_text("folder-b\n")
    (mounted / "A").write_text("folder-a")
    (mounted / "B").symlink_to("..data/B")
    (tmp_path / ".env").write_text("A=file-a\nB=file-b\nexport JOURNEY_SECRET_C='file $c'\n# D=no\n")
    secrets = Secrets({"JOURNEY_SECRET_A": "environment-a"}, mounted, tmp_path / ".env")
    assert {name: secret.reveal() for name, secret in secrets.items()} == {
        "A": "environment-a",
        "B": "folder-b",
        "C": "file $c",
    }
    assert set(secrets.texts()) == {"environment-a", "folder-b", "file $c"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_and_line_ends_are_not_part_of_a_secret(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "FOLDER").write_bytes("grün-1\r\n\r\n".encode(encoding))
    (tmp_path / ".env").write_bytes("FILE=grün-2\r\nQUOTED='grün-3\n'\r\nEMPTY=\r\n".encode(encoding))
    environ = {"JOURNEY_SECRET_VARIABLE": "\ufeffgrün-4\n", "JOURNEY_SECRET_KEY": "-----BEGIN\nabcd\n-----END\n"}
    found = Secrets(environ, tmp_path / "folder", tmp_path / ".env")
    assert {name: found[name].reveal() for name in found} == {
        "FILE": "grün-2",
        "QUOTED": "grün-3",
        "FOLDER": "grün-1",
        "VARIABLE": "grün-4",
        "KEY": "-----BEGIN\nabcd\n-----END",
    }


def test_an_empty_secret_is_not_set(tmp_path: Path) -> None:
    (tmp_path / "PASSWORD").write_text("oolong")
    (tmp_path / "OTHER").write_text("\n")
    found = Secrets({"JOURNEY_SECRET_PASSWORD": ""}, folder=tmp_path)
    assert found["PASSWORD"].reveal() == "oolong"
    with pytest.raises(SecretMissing, match="secret 'OTHER' is not set; set it in"):
        found["OTHER"]


def test_a_folder_or_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"secrets_dir: .*nowhere cannot be read"):
        Secrets({}, folder=tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"secrets_file: .*nowhere cannot be read"):
        Secrets({}, file=tmp_path / "nowhere")


def test_a_secret_too_short_to_be_hidden_is_refused() -> None:
    with pytest.raises(SecretMissing, match="secret 'PIN' has 3 characters, too few"):
        Secrets({"JOURNEY_SECRET_PIN": "123"})["PIN"]


def test_a_one_time_code_is_the_one_that_an_authenticator_shows() -> None:
    key = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    made: list[str] = []
    secrets = Secrets(
        {"JOURNEY_SECRET_KEY": key, "JOURNEY_SECRET_URI": f"otpauth://totp/shop:me?secret={key}"}, on_made=made.append
    )
    before, code, again, after = (pyotp.TOTP(key).now(), secrets.totp("KEY"), secrets.totp("URI"), pyotp.TOTP(key).now())
    assert {code.reveal(), again.reveal()} <= {before, after}
    assert made == [code.reveal(), again.reveal()]


# The values of RFC 6238, appendix B, for SHA-1; the short key's code was made with oathtool.
@pytest.mark.parametrize(
    ("key", "at", "code"),
    [
        ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1111111109, "081804"),
        ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8", 1111111109, "07081804"),
        ("jbsw y3dp ehpk 3pxp", 1111111109, "071271"),
        ("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP", 1111111109, "071271"),
    ],
)
def test_a_key_of_any_length_makes_the_standards_codes(monkeypatch: pytest.MonkeyPatch, key: str, at: int, code: str) -> None:
    monkeypatch.setattr(pyotp.TOTP, "now", lambda self: self.at(at))
    assert Secrets({"JOURNEY_SECRET_KEY": key}).totp("KEY").reveal() == code


@pytest.mark.parametrize(
    "key", ["not base32!", "otpauth://hotp/shop:me?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&counter=0", "otpauth://nonsense"]
)
def test_a_key_that_makes_no_one_time_codes_is_named_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match=r"secret 'KEY' is (not a key|a key for counter-based codes)") as caught:
        Secrets({"JOURNEY_SECRET_KEY": key}).totp("KEY")
    assert key not in str(caught.value)
