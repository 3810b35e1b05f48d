"""Which new passwords are refused."""

import pytest

from reports.web.access.password_strength import check_password_strength
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "12 to 1024 characters"),
        ("x" * 1025, "12 to 1024 characters"),
        ("Manchesterunited", "on the list"),
        ("1Q2W3E4R5T6Y", "on the list"),
        ("passwordpassword", "common words"),
        ("P4ssw0rd2026!", "common words"),
        ("Summer2026!!!!", "common words"),
        ("qwertyuiopasdf", "common words"),
        ("zyxwvutsrqpo", "common words"),
        ("abcabcabcabcabc", "common words"),
        ("hahahahahahahaha", "common words"),
        ("ada.lovelace1815", "common words"),
        ("journey-monitor1", "common words"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        check_password_strength(password, "ada.lovelace@shop.example")


@pytest.mark.parametrize(
    "password",
    [
        "oolong and milk",
        "purple monkey dishwasher",
        "zq7!kd02mvX1",
        "739201846251",
        "пароль для чайника",
        "茶壺と湯呑みと急須と茶葉と湯冷まし",
        "x7" + " 🍵 kettle" * 100,
    ],
)
def test_a_password_of_any_signs_is_taken_if_it_is_long_and_not_common(password: str) -> None:
    check_password_strength(password, "ada")
