"""The journey of docs/journeys.md that signs in with a code by SMS, with a provider's API and a site that send one here."""

import base64
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.conftest import Monitor
from tests.pages import answer, serving_pages
from tests.support.doc_reader import ROOT

PROVIDER = "https://api.twilio.com"
CREDENTIALS = base64.b64encode(b"AC-account:token-of-the-account").decode()
PAGE = """<form action=/code><label>Telephone <input name=number></label><button>Send</button></form>
<form action=/enter><label>Code <input name=code></label><button>Sign in</button></form>"""


@pytest.fixture
def site() -> Iterator[str]:
    """A site, and the provider of its messages, newest first; the code of an earlier visit is among them."""
    messages = [{"sid": "SM1", "body": "Your code is 111111"}]

    def list_messages(request: BaseHTTPRequestHandler) -> None:
        known = request.headers["Authorization"] == f"Basic {CREDENTIALS}"
        answer(request, json.dumps({"messages": messages} if known else {}).encode(), kind="application/json")

    def send_code(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/code?number=%2B49+157+00000000":
            messages.insert(0, {"sid": "SM2", "body": "Your code is 918273, for 10 minutes"})
        answer(request, PAGE.encode())

    def enter(request: BaseHTTPRequestHandler) -> None:
        answer(request, b"<h1>Welcome</h1>" if request.path == "/enter?code=918273" else PAGE.encode())

    pages = {"/2010-04-01/Accounts/AC-account/Messages.json": list_messages, "/code": send_code, "/enter": enter}
    with serving_pages({"/": PAGE, "/sign-in": PAGE, **pages}) as address:
        yield address


def test_the_documented_journey_signs_in_with_the_new_code(monitor: Monitor, site: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "journeys.md").read_text(), re.DOTALL)
    (code,) = [block for block in blocks if PROVIDER in block]
    secrets = monitor.folder / "secrets.env"
    secrets.write_text("SMS_ACCOUNT=AC-account\nSMS_TOKEN=token-of-the-account\n")
    result = monitor.run(code.replace(PROVIDER, site), base_url=site, secrets_file=secrets, trace="on")
    assert (result.status, result.failure) == ("passed", None)
    assert [step.status for step in result.steps] == ["passed"] * 3
    saved = b"".join(file.read_bytes() for file in monitor.saved().rglob("*") if file.is_file())
    assert CREDENTIALS.encode() not in saved
    assert b"token-of-the-account" not in saved
