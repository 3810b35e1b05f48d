"""What was typed has no value in a recording: each field gets a name, for `params` or for `secrets`."""

import re

from msgspec import Struct

from reports.codegen.action import RecordedAction
from reports.codegen.rebuild_page import Found
from runner.authoring.recorder.secret_fields import SECRET_FIELDS
from runner.dsl.python_name import to_python_name

WORDS = 3
"""More of them in a label are a sentence, and no name."""


class Value(Struct, frozen=True):
    """A value that the journey is given."""

    name: str
    secret: bool

    @property
    def code(self) -> str:
        """How the journey reads it."""
        return f'secrets["{self.name}"].reveal()' if self.secret else f'params["{self.name}"]'


class Values:
    """Names what was typed, each field once."""

    def __init__(self) -> None:
        self._by_field: dict[str, Value] = {}

    @property
    def all(self) -> tuple[Value, ...]:
        """Every value, in the order in which they are needed."""
        return tuple(dict.fromkeys(self._by_field.values()))

    def of(self, action: RecordedAction, found: Found, locator: str) -> Value:
        """The value of a field; the same for the same field."""
        if locator not in self._by_field:
            secret = _secret(action, found)
            wanted = secret or _plain(action, found)
            taken = {one.name for one in self._by_field.values()}
            number, name = 1, wanted
            while name in taken:
                number += 1
                name = f"{wanted}_{number}"
            self._by_field[locator] = Value(name, secret is not None)
        return self._by_field[locator]


def _secret(action: RecordedAction, found: Found) -> str | None:
    if found.facts.type == "password":
        return "PASSWORD"
    facts = found.facts
    said = f" {' '.join(_words(' '.join([facts.label, facts.field, facts.placeholder, action.said.name])))} "
    known = ((len(word), name) for name, words in SECRET_FIELDS.items() for word in words if f" {word} " in said)
    longest = max(known, default=None)
    # “Name on card” is not the number.
    return None if longest is None or (longest[1] == "CARD_NUMBER" and " name " in said) else longest[1]


def _plain(action: RecordedAction, found: Found) -> str:
    # “Username or Email Address” is one field: the first of its names is enough.
    first = re.split(r"\bor\b|[(/,]", found.facts.label or action.said.name)[0]
    for text in (found.facts.label, action.said.name, first, found.facts.field, found.facts.placeholder):
        words = _words(text)
        if 0 < len(words) <= WORDS and len("".join(words)) > 1:
            return to_python_name("_".join(words))
    if found.facts.type == "search":
        return "search"
    words = _words(found.facts.label or action.said.name or found.facts.placeholder)
    return to_python_name("_".join(words[-WORDS:])) if words else "text"


def _words(text: str) -> list[str]:
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    return [one for one in re.findall(r"[^\W_]+", parted.lower()) if one.isidentifier() or one.isdigit()]
