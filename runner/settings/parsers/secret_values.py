"""Parsers of settings that are secret: from the value itself, or from the file that holds it.

Each raises ValueError without the value in it; one that reads a file also raises OSError.
"""

import re

from runner.settings.parsers.values import parse_path, parse_text
from runner.settings.raw_text import read_value_file
from runner.settings.secrets import Secret

SHORTEST_TOKEN = 16
"""Characters."""


def parse_secret(value: object) -> Secret:
    """A text that is not shown."""
    return value if isinstance(value, Secret) else Secret(parse_text(value))


def read_secret(value: object) -> Secret:
    """The secret in a file, without the white space around it."""
    text = read_value_file(parse_path(value)).strip()
    if not text:
        raise ValueError(f"{value} is empty; write the secret into it")
    return Secret(text)


def parse_token(value: object) -> Secret:
    """A token that is long enough to be hard to guess, in characters that a header can hold."""
    token = parse_secret(value)
    if len(token.reveal()) < SHORTEST_TOKEN or not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", token.reveal()):
        raise ValueError(
            f"is not a token that is hard to guess; write at least {SHORTEST_TOKEN} letters and digits, such as `openssl rand -hex 32` prints"
        )
    return token


def read_token(value: object) -> Secret:
    """The token in a file."""
    return parse_token(read_secret(value))


def parse_alert_urls(value: object) -> tuple[Secret, ...]:
    """Where alerts are sent: a list of Apprise URLs, or a text with spaces between them."""
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(one, str | Secret) for one in words):
        raise ValueError("is not a list of addresses; write them with spaces between")
    urls = tuple(one if isinstance(one, Secret) else Secret(one) for one in words)
    if any("://" not in one.reveal() for one in urls):
        raise ValueError("holds a word that is not an address; each begins with a service, such as mailto:// or slack://")
    return urls


def read_alert_urls(value: object) -> tuple[Secret, ...]:
    """The addresses in a file, with white space between them."""
    return parse_alert_urls(read_value_file(parse_path(value)))
