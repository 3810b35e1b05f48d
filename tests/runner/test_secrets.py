"""Secret values that do not print."""

import pickle

import msgspec
import pytest

from runner import Secret, SecretMissing
from runner.secrets import Secrets, missing


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


def test_a_missing_secret_names_the_variable() -> None:
    with pytest.raises(SecretMissing, match="secret 'PW' is not set; give it in the environment variable JOURNEY_SECRET_PW"):
        Secrets({})["PW"]
    assert missing(["PW", "TOKEN"], {"JOURNEY_SECRET_TOKEN": "x"}) == ["PW"]
