"""A journey that swallows whatever is raised ends with its timeout, and its worker and its browser go on."""

import pytest

from runner.workers import run_state
from tests.conftest import Monitor
from tests.support.thorough import thorough_but


@pytest.mark.parametrize(
    "body",
    thorough_but(
        1,
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
    ),
)
def test_it_is_a_timeout_of_the_page(monitor: Monitor, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine the end takes longer than the supervisor allows.
    monkeypatch.setattr(run_state, "GRACE", 120.0)
    result = monitor.run(f"""
@journey(timeout="4s")
def walk(page, step):
    with step("open"):
        page.goto("/")
    with step("wait"):
        {body}
""")
    assert result.failure is not None
    assert (result.status, result.failure.kind, result.attempts) == ("failed", "timeout", 1), result.failure.message
    assert monitor.run("@journey\ndef walk(page): page.goto('/')").status == "passed"
