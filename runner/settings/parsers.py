"""From what somebody wrote as a setting's value, in a file or in the environment, to its one form.

Each raises ValueError, which says what is wrong with the value and what to write; who calls knows where it is written.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, get_args

from runner.dsl import options
from runner.settings.duration import parse_duration
from runner.settings.secrets import Secret

Traffic = Literal["real", "bot", "synthetic"]
SHORTEST_TOKEN = 16


def boolean(value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither true nor false")


def count(value: object) -> int:
    return options.count(int(value) if isinstance(value, str) and value.isdecimal() else value)


def at_least_one(value: object) -> int:
    number = count(value)
    if number == 0:
        raise ValueError("0 is too few; write a number from 1")
    return number


def gateway(value: object) -> str:
    return options.url(f"http://{value}" if isinstance(value, str) and "://" not in value else value)


def database(value: object) -> str:
    if isinstance(value, str) and re.match(r"sqlite:///.|postgresql(\+psycopg)?://[^/]*/.", value):
        return re.sub(r"^postgresql://", "postgresql+psycopg://", value)
    shown = "it" if "@" in str(value) else repr(value)
    raise ValueError(f"{shown} is not the address of a database; write sqlite:///FILE or postgresql://USER@HOST/NAME")


def address(value: object) -> str:
    found = re.fullmatch(r"(?:\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})", value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 65535:
        raise ValueError(f"{value!r} is not an address to listen on; write one such as '127.0.0.1:9464'")
    return str(value)


def ingest_path(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"(?:/[A-Za-z0-9_.~-]+){1,8}", value):
        return value
    raise ValueError(f"{value!r} is not a path; write one such as '/v1/views'")


def proxies(value: object) -> tuple[str, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(one, str) for one in words):
        raise ValueError(f"{value!r} is not a list of networks; write one such as ['10.0.0.0/8']")
    try:
        return tuple(str(ip_network(one)) for one in words)
    except ValueError as error:
        raise ValueError(f"{error}; write addresses and networks such as ['127.0.0.1', '10.0.0.0/8']") from error


def traffic(value: object) -> tuple[Traffic, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    known = get_args(Traffic)
    if not isinstance(words, list | tuple) or not words or any(one not in known for one in words):
        raise ValueError(f"{value!r} is not a list of kinds of traffic; choose from {', '.join(known)}")
    return tuple(words)


def params(value: object) -> dict[str, str]:
    if isinstance(value, Mapping) and all(isinstance(one, str | int | float) for one in value.values()):
        return {str(key): str(one) for key, one in value.items()}
    raise ValueError(f"{value!r} is not a table of texts; write one such as {{ product = 'sencha' }}")


def paths(value: object) -> tuple[Path, ...]:
    words = value.split(":") if isinstance(value, str) else value
    if isinstance(words, list | tuple) and words and all(isinstance(one, str | Path) and str(one) for one in words):
        return tuple(Path(one) for one in words)
    raise ValueError(f"{value!r} is not a list of files and folders; write one such as ['journeys']")


def release(value: object) -> str:
    """Nothing is one that is not known: a pipeline may set the variable without a value."""
    if isinstance(value, str) and len(value.strip()) <= 100 and value.strip().isprintable():
        return value.strip()
    raise ValueError(f"{value!r} is not the name of a release; write a text of 100 characters at the most, such as '2026.11.2'")


def patterns(value: object) -> tuple[str, ...]:
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list | tuple) or not all(isinstance(one, str) and one for one in patterns):
        raise ValueError(f"{value!r} is not a list of regular expressions; write one such as ['card=\\\\d+']")
    for one in patterns:
        try:
            matches_nothing = re.compile(one.encode()).match(b"")
        except re.error as error:
            raise ValueError(f"{one!r} is not a regular expression: {error}") from error
        if matches_nothing:
            raise ValueError(f"{one!r} matches the empty text, so it would hide everything and nothing; ask for a character")
    return tuple(patterns)


def path(value: object) -> Path:
    return Path(options.text(str(value)))


def secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(options.text(value))


def secret_file(value: object) -> Secret:
    return Secret(path(value).read_text(encoding="utf-8").strip())


def token(value: object) -> Secret:
    token = secret(value)
    if len(token.reveal()) < SHORTEST_TOKEN or not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", token.reveal()):
        raise ValueError(
            f"is no token that is hard to guess; write {SHORTEST_TOKEN} or more letters and digits, such as `openssl rand -hex 32` prints"
        )
    return token


def token_file(value: object) -> Secret:
    return token(secret_file(value))


def header(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", value):
        return value
    raise ValueError(f"{value!r} is not the name of a header; write one such as 'X-Forwarded-User'")


def alert_urls(value: object) -> tuple[Secret, ...]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(one, str | Secret) for one in words):
        raise ValueError("is not a list of addresses; write them with spaces between")
    urls = tuple(one if isinstance(one, Secret) else Secret(one) for one in words)
    if any("://" not in one.reveal() for one in urls):
        raise ValueError("holds a word that is no address; each begins with a service, such as mailto:// or slack://")
    return urls


def alert_urls_file(value: object) -> tuple[Secret, ...]:
    return alert_urls(path(value).read_text(encoding="utf-8"))


def of(value: object) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", value) if isinstance(value, str) else None
    if found and 0 < int(found[1]) <= int(found[2]) <= 50:
        return int(found[1]), int(found[2])
    raise ValueError(f"{value!r} is not so many of so many; write one such as '3/5', of 50 at the most")


def share(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if 0 <= number <= 1:
        return number
    raise ValueError(f"{value!r} is not a share; write a number from 0 to 1")


def chance(value: object) -> float:
    number = share(value)
    if 0 < number < 0.5:
        return number
    raise ValueError(f"{value!r} is no chance to be wrong that says anything; write a number between 0 and 0.5, such as 0.01")


def tolerance(value: object) -> tuple[float | None, float | None]:
    """A share, as in `0.1` or `10%`, or a duration, or both with a comma between; None for what is not written."""
    share = seconds = None
    try:
        for word in str(value).split(","):
            number = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", word)
            if number:
                share = float(number[1]) / (100 if number[2] else 1)
            else:
                seconds = parse_duration(word)
    except ValueError as error:
        raise ValueError(
            f"{value!r} is not a tolerance; write a share such as '10%', or one with a time, '10%,20ms'"
        ) from error
    if share is not None and share > 1 and "%" not in str(value):
        raise ValueError(f"{value!r} is {share:g} times the baseline; write '{share:g}%' for a share of a hundred")
    return share, seconds


def undecided(value: object) -> str:
    if value in {"pass", "fail"}:
        return str(value)
    raise ValueError(f"{value!r} is neither 'pass' nor 'fail'")


def looks(value: object) -> tuple[int, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if isinstance(words, list | tuple) and words:
        looks = tuple(at_least_one(one.strip() if isinstance(one, str) else one) for one in words)
        if list(looks) == sorted(set(looks)):
            return looks
    raise ValueError(f"{value!r} is not a list of rising numbers of runs; write one such as [8, 12, 18]")
