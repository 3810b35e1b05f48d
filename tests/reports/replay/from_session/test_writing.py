"""Journeys as they are written, from what was done and where it was found."""

from pathlib import Path

from reports.codegen.actions import reduce_to_actions
from reports.codegen.locators import Candidate
from reports.codegen.rebuild_page import Ending, Facts, Found, Rebuilt
from reports.codegen.result import Made
from reports.codegen.write_journey import write_journey
from runner.dsl.discovery import load_journeys
from tests.reports.replay.from_session.tape import MASK, Tape, element, recording

BODY = (
    element(10, "input", type="email"),
    element(11, "input", type="password"),
    element(12, "button"),
    element(13, "select"),
    element(14, "a"),
)
EMAIL = Found(
    Facts(tag="input", type="email", label="Email", method="post"), (Candidate('page.get_by_label("Email")', "label"),)
)
PASSWORD = Found(Facts(tag="input", type="password", label="Password"), (Candidate('page.get_by_label("Password")', "label"),))
SIGN_IN = Found(
    Facts(tag="button", method="post", password=True, submits=True),
    (Candidate('page.get_by_role("button", name="Sign in")', "playwright"),),
    "Sign in · Shop",
)
LINK = Found(Facts(tag="a"), (Candidate('page.get_by_role("link", name="Tea")', "playwright"),))


NOTHING = Ending()


def made(tape: Tape, *found: Found, ending: Ending = NOTHING) -> Made:
    """The journey of one tab; `found` is for each action, the first address apart."""
    session = recording(tape)
    done = reduce_to_actions(session)
    places = iter(found)
    return write_journey(
        session, done, Rebuilt(tuple(next(places) if one.node else Found() for one in done), {0: ending}), None, ()
    )


def signed_in() -> Tape:
    tape = Tape().page("/login", *BODY).type(10).type(11).click(12, name="Sign in")
    return tape.page("/account/4711", element(14, "a"), after=300)


def test_the_whole_file_reads_as_if_it_was_written_by_hand(tmp_path: Path) -> None:
    result = made(signed_in(), EMAIL, PASSWORD, SIGN_IN, ending=Ending("Account", ("Hello",)))
    assert (
        result.source
        == '''\
"""Made from session 01a20fc0-aafa-7b1d-ac37-708720ccee0c at https://shop.example, recorded 2026-11-24 22:40 UTC.

What the visitor typed is not recorded. The journey must be given:
    --param email=…
    JOURNEY_SECRET_PASSWORD=…
"""

import re

from runner import Page, Params, Secrets, Step, expect, journey


@journey(base_url="https://shop.example")
def sign_in(page: Page, step: Step, params: Params, secrets: Secrets) -> None:
    """A visitor goes from /login to /account/:id."""
    with step("open login"):
        page.goto("/login")

    with step("sign in"):
        page.get_by_label("Email").fill(params["email"])
        page.get_by_label("Password").fill(secrets["PASSWORD"].reveal())
        # Look twice before you run it: it submits a form with a password.
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/account/[^/?#]+([?#]|$)"))
        expect(page.get_by_role("heading", name="Hello", exact=True)).to_be_visible()
'''
    )
    (journey,) = load_journeys(tmp_path / "sign_in.py", result.source)
    assert journey.step_names == ("open login", "sign in")
    assert journey.secret_names == ("PASSWORD",)


def test_what_was_typed_into_two_fields_of_a_name_gets_two_names() -> None:
    other = Found(EMAIL.facts, (Candidate('page.get_by_label("Email").nth(1)', "label"),))
    tape = Tape().page("/", *BODY).type(10).type(11)
    assert made(tape, EMAIL, other).report.params == ("email", "email_2")


def test_a_text_that_is_not_masked_stands_in_the_journey() -> None:
    assert 'fill("tea")' in made(Tape().page("/", *BODY).type(10, "tea"), EMAIL).source


def test_a_password_never_stands_in_the_journey_even_if_it_was_recorded() -> None:
    source = made(Tape().page("/", *BODY).type(11, "oolong-and-milk"), PASSWORD).source
    assert "oolong" not in source
    assert 'secrets["PASSWORD"].reveal()' in source


def test_an_element_that_was_not_found_again_leaves_a_note_where_it_belongs() -> None:
    result = made(Tape().page("/", *BODY).click(12, name="Order"), Found())
    assert (
        "# Not repeated: a click on button Order, as its element was not found again. Write it here by hand." in result.source
    )
    assert (result.report.resolved, len(result.report.actions)) == (1, 2)
    assert load_journeys(Path("order.py"), result.source)


def test_each_action_is_known_by_its_line() -> None:
    result = made(signed_in(), EMAIL, PASSWORD, SIGN_IN)
    lines = result.source.splitlines()
    for one in result.report.actions:
        assert lines[one.line - 1].strip() == one.code


def test_pages_that_are_left_and_come_to_by_the_same_link_are_told_apart_by_their_titles() -> None:
    tape = Tape().page("/a", *BODY).click(14, role="link").page("/b", *BODY).click(14, role="link").page("/c")
    first, second = (Found(LINK.facts, LINK.candidates, f"{title} · Shop") for title in ("Alpha", "Beta"))
    assert made(tape, first, second).report.steps == ("open a", "open Tea on Alpha", "open Tea on Beta")


def test_a_page_that_names_itself_badly_breaks_nothing(tmp_path: Path) -> None:
    bad = '"""\nimport os\n"""\\'
    tape = Tape().page('/"""%0Aimport os', *BODY).click(14, role="link", name=bad)
    named = Found(LINK.facts, (), bad)
    result = made(tape, named, ending=Ending(bad, (bad,)))
    (journey,) = load_journeys(tmp_path / "bad.py", result.source)
    assert journey.description.startswith("A visitor goes from")
    assert "\nimport os" not in result.source


def test_a_heading_with_a_number_is_expected_with_any() -> None:
    result = made(Tape().page("/", *BODY).click(14, role="link"), LINK, ending=Ending("", ("Receipt LK-1004",)))
    assert 'name=re.compile(r"Receipt LK-[0-9]+")' in result.source


def test_buttons_that_pay_delete_or_send_are_named_in_any_language_we_know() -> None:
    for label in ("Pay now", "Jetzt kaufen", "Supprimer", "删除帖子", "Send"):
        found = Found(Facts(tag="button"), (Candidate(f'page.get_by_role("button", name="{label}")', "playwright"),))
        (danger,) = made(Tape().page("/", *BODY).click(12, name=label), found).report.dangers
        assert danger.danger is not None
        assert danger.danger.startswith("it says")


def test_what_only_looks_is_not_named() -> None:
    assert made(Tape().page("/", *BODY).click(14, role="link").page("/tea"), LINK).report.dangers == ()


def test_a_masked_field_needs_a_value_and_an_empty_one_none() -> None:
    assert made(Tape().page("/", *BODY).type(10, MASK), EMAIL).report.params == ("email",)
    emptied = Tape().page("/", *BODY).type(10, "", 1000).act("change", 10, 1)
    assert made(emptied, EMAIL).report.params == ()


def test_each_act_that_a_page_answers_is_a_step_though_the_address_stays() -> None:
    button = Found(Facts(tag="button"), (Candidate('page.get_by_role("button", name="Next")', "playwright"),))
    result = made(Tape().page("/", *BODY).click(12, name="Next").change().click(14, name="Tea"), button, LINK)
    assert result.report.steps == ("open the home page", "next", "open Tea")
    assert 'name="Next").click()\n        page.get_by_role("link", name="Tea").wait_for()' in result.source


def test_an_id_is_in_no_name() -> None:
    tape = Tape().page("/orders/01a20fc0-aafa-7b1d-ac37-708720ccee0c", *BODY)
    link = Found(
        LINK.facts, (Candidate('page.get_by_role("link", name="01a20fc0-aafa-7b1d-ac37-708720ccee0c")', "playwright"),)
    )
    report = made(tape.click(14, name="Order"), link).report
    assert (report.name, report.steps[0]) == ("open", "open orders")


def test_a_step_is_named_after_what_was_noted_of_an_element_that_a_selector_finds() -> None:
    button = Found(Facts(tag="button"), (Candidate('page.locator("button")', "playwright"),))
    assert made(Tape().page("/", *BODY).click(12, name="Order Tea"), button).report.steps == ("open the home page", "order Tea")


def test_a_button_that_is_on_every_page_names_a_journey_with_its_page() -> None:
    button = Found(Facts(tag="button"), (Candidate('page.get_by_role("button", name="Go")', "playwright"),), "All pages - Wiki")
    report = made(Tape().page("/", *BODY).click(12, name="Go"), button).report
    assert (report.name, report.steps[-1]) == ("go_on_all_pages", "go")


def test_a_journey_is_named_after_the_last_step_that_names_something() -> None:
    nameless = Found(Facts(tag="input"), (Candidate('page.get_by_role("searchbox")', "playwright"),))
    report = made(
        Tape().page("/", *BODY).click(14, role="link", name="Tea").page("/tea", *BODY).type(10), LINK, nameless
    ).report
    assert (report.name, report.steps[-1]) == ("open_tea", "fill in the form")


def test_a_file_s_ending_and_a_colon_in_an_address_are_in_no_step_s_name() -> None:
    tape = Tape().page("/wp-login.php", *BODY).page("/index.php/Special:AllPages", *BODY, after=60_000).click(14, role="link")
    assert made(tape, LINK).report.steps == ("open wp login", "open special all pages", "open Tea")


def test_a_field_with_two_names_is_given_the_first() -> None:
    field = Found(Facts(tag="input", label="Username or Email Address", field="log"), EMAIL.candidates)
    assert made(Tape().page("/", *BODY).type(10), field).report.params == ("username",)


def test_a_new_heading_with_a_number_is_waited_for_by_its_beginning() -> None:
    candidates = (Candidate('page.get_by_role("button", name="Status")', "playwright"),)
    button = Found(Facts(tag="button"), candidates, headings=("Databases",), next_is_there=True)
    for heading, wait in (
        ("Traffic since startup: 628.6 KiB", 'expect(page.get_by_role("heading", name=re.compile(r"^Traffic since startup")))'),
        ("3 rows", 'page.get_by_role("link", name="Tea").wait_for()'),
        ("Databases 7", 'page.get_by_role("link", name="Tea").wait_for()'),
    ):
        link = Found(LINK.facts, LINK.candidates, headings=("Databases", heading))
        source = made(
            Tape().page("/", *BODY).click(12, name="Status").change().click(14, role="link", name="Tea"), button, link
        ).source
        assert f'name="Status").click()\n        {wait}' in source
