"""A journey that swallows whatever is raised ends with its timeout, and its worker and its browser go on."""

import pytest

from tests.conftest import Monitor


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n            try: page.wait_for_timeout(60000)\n            except: pass",
        """while True:
            try:
                while True:
                    try: page.wait_for_timeout(60000)
                    except: pass
            except: pass""",
        "try: page.wait_for_timeout(60000)\n        except BaseException: pass\n        page.title()",
    ],
)
def test_it_is_a_timeout_of_the_page(monitor: Monitor, body: str) -> None:
    result = monitor.run(f"""
@journey(timeout="4s")
def walk(page, step):
    with step("open"):
        page.goto("/")
    with step("wait"):
        {body}
""")
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.attempts) == ("failed", "timeout", 1)
    assert monitor.run("@journey\ndef walk(page): page.goto('/')").status == "passed"
