"""A failure names the alert that the page shows: it is often the reason."""

import pytest

from reports.text.missing_element import describe_missing
from runner.result import Failure

MESSAGE = """Locator expected to be visible
Error: element(s) not found
Call log:
  - Expect "to_be_visible" get_by_text("Orders") with timeout 5000ms
  - waiting for get_by_text("Orders")"""


@pytest.mark.parametrize(
    ("tree", "alert"),
    [
        ("- alert: Wrong password", "Wrong password"),
        ('- alert: "mysqli: refused"', "mysqli: refused"),
        ('- main:\n  - alert:\n    - strong: Error\n    - text: not saved\n  - button "Go"', "Error not saved"),
        ('- alert "Not saved"', "Not saved"),
        ("- alert\n- alert: Second", "Second"),
        ("- alert: " + "x" * 500, "x" * 79 + "…"),
    ],
)
def test_the_alert_follows_what_was_missing(tree: str, alert: str) -> None:
    sentence = describe_missing(Failure(kind="assertion", message=MESSAGE), tree)
    assert sentence == f"no text “Orders”; the page shows an alert: “{alert}”"


@pytest.mark.parametrize("tree", ["", "- alert", '- text: "alert: none"', "- alertdialog: Really?"])
def test_without_an_alert_nothing_is_added(tree: str) -> None:
    assert describe_missing(Failure(kind="assertion", message=MESSAGE), tree) == "no text “Orders”"


def test_an_error_status_leads_and_not_what_is_missing_on_its_page() -> None:
    assert describe_missing(Failure(kind="http", message=f"HTTP 401 from http://shop/\n{MESSAGE}"), "- main") == ""
