"""Which typed texts are secrets: recognized by the words of the field's locator, as the recorder does not say what kind it is."""

import ast
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from runner.authoring.recorder.parse_script import chain
from runner.authoring.recorder.step_names import in_words
from runner.redaction import SHORTEST

SECRET_FIELDS = {
    "PASSWORD": (
        *("password", "passwort", "passphrase", "passcode", "passwd", "pwd", "pw", "kennwort", "wachtwoord", "contraseña"),
        *("mot de passe", "senha", "hasło", "lösenord", "adgangskode", "salasana", "パスワード", "密码", "пароль"),
    ),
    "PIN": ("pin", "geheimzahl"),
    "CARD_NUMBER": (
        *("card", "cardnumber", "creditcard", "cc number", "ccnumber", "cc num", "ccnum", "numéro de carte", "carte bancaire"),
        *("karte", "kartennummer", "kreditkarte", "kreditkartennummer", "tarjeta", "carta di credito"),
    ),
    "CVC": ("cvc", "cvv", "csc", "security code", "prüfziffer", "kartenprüfnummer"),
    "IBAN": ("iban", "kontonummer", "account number"),
    "CODE": (
        *("otp", "totp", "tan", "mfa", "2fa", "one time code", "one time password", "verification code", "sms code"),
        *("authentication code", "confirmation code", "access code", "bestätigungscode", "einmalcode"),
    ),
    "TOKEN": ("token", "api key", "apikey", "access key", "secret", "secret key", "private key"),
    "ID_NUMBER": ("ssn", "social security", "passport", "steuernummer", "tax id"),
}
"""The words that make a field a secret's, by the name that its secret gets."""


class SecretField(Struct, frozen=True):
    """Why a typed text is taken for a secret."""

    name: str
    because: str
    """The rest of a sentence that begins with what was typed."""


def secret_field(locator: ast.expr, text: str) -> SecretField | None:
    """The secret that was typed into what `locator` finds; None for a text that may stay as it is.

    >>> secret_field(ast.parse('page.get_by_label("Your PIN")', mode="eval").body, "4711").name
    'PIN'
    >>> secret_field(ast.parse('page.get_by_label("Shipping address")', mode="eval").body, "1 Camellia Road")
    """
    for said in _sayings(locator):
        longest = max(
            ((word, name) for name, words in SECRET_FIELDS.items() for word in words if f" {word} " in f" {said} "),
            key=lambda found: len(found[0]),
            default=None,
        )
        # “Name on card” is not the number of a card.
        if longest is not None and (longest[1] != "CARD_NUMBER" or len(re.findall(r"\d", text)) >= SHORTEST):
            return SecretField(longest[1], f"the locator says “{longest[0]}”")
    if _is_card_number(text):
        return SecretField("CARD_NUMBER", "it has the check digit of a card number")
    return None


def _sayings(locator: ast.expr) -> Iterator[str]:
    """What each link of the locator says, from the last on; of a frame around the field only where the field says nothing."""
    said = False
    for link in chain(locator):
        match link:
            case ast.Attribute(attr="content_frame") | ast.Call(func=ast.Attribute(attr="frame_locator")) if said:
                return
            case ast.Call(func=function):
                # The first argument of `get_by_role` is a role, not a word of the site.
                by_role = isinstance(function, ast.Attribute) and function.attr == "get_by_role"
                parts = [*link.args[by_role:], *(keyword.value for keyword in link.keywords)]
                words = in_words(" ".join(_texts(parts)))
                said = said or bool(words)
                # A second field is one like the first: `pw2` like `pw`.
                unnumbered = re.sub(r"(?<=[^\W\d])\d+", "", words)
                yield f"{words} {unnumbered}"


def _texts(parts: Iterable[ast.expr]) -> Iterator[str]:
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _is_card_number(text: str) -> bool:
    """Luhn's sum, ISO/IEC 7812-1, over 13 to 19 digits."""
    digits = re.sub(r"[ -]", "", text)
    if not re.fullmatch(r"\d{13,19}", digits):
        return False
    doubled = [int(one) * (2 if index % 2 else 1) for index, one in enumerate(reversed(digits))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0
