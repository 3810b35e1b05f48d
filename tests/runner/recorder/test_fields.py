"""Which typed texts are taken for secrets."""

import ast

import pytest

from runner.authoring.recorder.secret_fields import secret_field
from runner.authoring.recorder.write_journey import write
from tests.runner.recorder.test_writing import script


def field(locator: str, text: str = "4711 4711") -> str | None:
    found = secret_field(ast.parse(locator, mode="eval").body, text)
    return found.name if found else None


@pytest.mark.parametrize(
    ("locator", "name"),
    [
        ('page.get_by_role("textbox", name="Password")', "PASSWORD"),
        ('page.get_by_label("Passwort wiederholen")', "PASSWORD"),
        ('page.get_by_placeholder("Your Kennwort")', "PASSWORD"),
        ('page.locator("#newPassword2")', "PASSWORD"),
        ('page.locator("input[name=\\"user_pw\\"]")', "PASSWORD"),
        ('page.get_by_label("Mot de passe")', "PASSWORD"),
        ('page.get_by_label("PIN")', "PIN"),
        ('page.get_by_test_id("card-number")', "CARD_NUMBER"),
        ('page.get_by_label("Kartennummer")', "CARD_NUMBER"),
        ('page.frame_locator("#pay").get_by_label("CVC")', "CVC"),
        ('page.get_by_label("Security code")', "CVC"),
        ('page.get_by_label("IBAN")', "IBAN"),
        ('page.get_by_label("Verification code")', "CODE"),
        ('page.locator("#apiToken")', "TOKEN"),
        ('page.get_by_role("textbox", name="API key")', "TOKEN"),
        ('page.locator("iframe[title=\\"Card number\\"]").content_frame.get_by_role("textbox")', "CARD_NUMBER"),
    ],
)
def test_the_words_of_the_locator_tell_a_secret(locator: str, name: str) -> None:
    assert field(locator) == name


@pytest.mark.parametrize(
    "locator",
    [
        'page.get_by_label("Shipping address")',
        'page.get_by_label("Email")',
        'page.get_by_label("Postal code")',
        'page.get_by_label("Promo code")',
        'page.get_by_role("searchbox", name="Search the shop")',
        'page.get_by_label("Opinion")',
        'page.get_by_label("CC")',
        'page.locator("iframe[title=\\"Secure card payment\\"]").content_frame.get_by_label("Expiry")',
    ],
)
def test_other_words_do_not(locator: str) -> None:
    assert field(locator) is None


def test_a_name_on_a_card_is_no_number() -> None:
    assert field('page.get_by_label("Name on card")', "Ada Lovelace") is None


def test_a_number_with_the_check_digit_of_a_card_is_one_wherever_it_is_typed() -> None:
    assert field('page.locator("#f7")', "4242 4242 4242 4242") == "CARD_NUMBER"
    assert field('page.locator("#f7")', "4242 4242 4242 4243") is None


def test_one_text_is_one_secret_and_two_texts_are_two() -> None:
    recorded = script(
        'page.goto("http://a.test/")',
        'page.get_by_label("Old password").fill("oolong")',
        'page.get_by_label("New password").fill("sencha")',
        'page.get_by_label("Repeat password").fill("sencha")',
        'page.get_by_role("button", name="Change").click()',
    )
    written = write(recorded, "change")
    assert written.secrets == ("PASSWORD", "PASSWORD_2")
    assert written.text.count('secrets["PASSWORD_2"].reveal()') == 2
    assert written.text.count("JOURNEY_SECRET_PASSWORD_2=") == 1
    assert not {"oolong", "sencha"} & set(written.text.split('"'))


def test_a_secret_is_taken_out_wherever_it_stands_and_told_of_where_it_cannot_be() -> None:
    recorded = script(
        'page.goto("http://a.test/")',
        'page.get_by_label("Password").fill("oolong-and-milk")',
        'page.get_by_role("button", name="Show").click()',
        'expect(page.get_by_label("Password")).to_have_value("oolong-and-milk")',
        'page.goto("http://a.test/?p=oolong-and-milk")',
    )
    written = write(recorded, "show")
    assert 'to_have_value(secrets["PASSWORD"].reveal())' in written.text
    (note,) = written.notes
    line = next(number for number, text in enumerate(written.text.splitlines(), 1) if "?p=" in text)
    assert note == f"line {line} holds what was typed as PASSWORD; remove it if it must not be there"


def test_a_secret_that_is_too_short_to_be_hidden_stays_with_a_word_about_it() -> None:
    recorded = script('page.goto("http://a.test/")', 'page.get_by_label("CVC").fill("123")')
    written = write(recorded, "pay")
    assert written.secrets == ()
    assert (
        "# Not made a secret, though the locator says “cvc”: with under 4 characters it could not be hidden.\n" in written.text
    )


def test_other_texts_stay_as_they_were_typed() -> None:
    recorded = script('page.goto("http://a.test/")', 'page.get_by_label("Message").fill("Hello \\\\ \\"you\\"\\nit\'s – ü")')
    written = write(recorded, "write")
    assert 'fill("Hello \\\\ \\"you\\"\\nit\'s – ü")' in written.text or "fill('Hello" in written.text
    compile(written.text, "walk.py", "exec")
    assert 'Hello \\ "you"\nit\'s – ü' in {
        node.value for node in ast.walk(ast.parse(written.text)) if isinstance(node, ast.Constant)
    }
