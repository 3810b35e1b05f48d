"""A journey reads the mail that a site has sent, from a real server."""

import imaplib
import os
import pwd
import shutil
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.browser.chromium import Browser
from runner.errors import MailboxError
from runner.execution.mailbox import Mail, Mailbox, _read, open_mailbox
from runner.settings.parsers.addresses.network import parse_mailbox
from runner.settings.secrets import Secrets
from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.support.certificates import make_certificate
from tests.support.needs import needs
from tests.support.services.programs import program
from tests.support.services.servers import free_port
from tests.support.wait import PAUSE

KNOWN = {"JOURNEY_SECRET_MAILBOX_PASSWORD": "oolong-77"}


class Server:
    """A dovecot with one account, `monitor`, whose password is `oolong-77`."""

    def __init__(self, port: int, tls_port: int, authority: Path) -> None:
        self.address = f"imap://monitor@127.0.0.1:{port}"
        self.tls_address = f"imaps://monitor@localhost:{tls_port}"
        self.authority = authority
        self._port = port

    def deliver(self, subject: str, to: str = "monitor@shop.example", text: str = "", html: str = "") -> None:
        """A mail that has arrived when this returns."""
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = subject, "Tea shop <tea@shop.example>", to
        mail.set_content(text or "hello")
        if html:
            mail.add_alternative(html, subtype="html")
        with imaplib.IMAP4("127.0.0.1", self._port, timeout=30) as box:
            box.login("monitor", "oolong-77")
            status, said = box.append("INBOX", "", "", mail.as_bytes())
            assert status == "OK", said


@pytest.fixture
@needs("real_time")
def mail_server() -> Iterator[Server]:
    port, tls_port, root = free_port(), free_port(), os.geteuid() == 0
    user = pwd.getpwnam("mail") if root else pwd.getpwuid(os.geteuid())
    own = "" if root else f"default_internal_user = {user.pw_name}\ndefault_login_user = {user.pw_name}\n"
    with TemporaryDirectory(prefix="journey-dovecot-") as name:
        folder = Path(name)
        made = make_certificate(folder / "tls")
        (folder / "mail").mkdir()
        if root:
            folder.chmod(0o755)
            shutil.chown(folder / "mail", user.pw_uid, user.pw_gid)
        (folder / "dovecot.conf").write_text(
            f"base_dir = {folder}/run\nstate_dir = {folder}/state\nlog_path = {folder}/log\nprotocols = imap\nlisten = 127.0.0.1\n{own}"
            f"ssl = yes\nssl_cert = <{made.file}\nssl_key = <{made.key}\ndisable_plaintext_auth = no\n"
            f"first_valid_uid = 1\nfirst_valid_gid = 1\n"
            f"mail_location = maildir:{folder}/mail\npassdb {{\n driver = static\n args = password=oolong-77\n}}\n"
            f"userdb {{\n driver = static\n args = uid={user.pw_uid} gid={user.pw_gid} home={folder}/mail\n}}\n"
            f"service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {port}\n }}\n"
            f" inet_listener imaps {{\n  port = {tls_port}\n  ssl = yes\n }}\n}}\nservice anvil {{\n chroot =\n}}\n"
        )
        with program("dovecot", ["dovecot", "-F", "-c", str(folder / "dovecot.conf")], port, folder):
            yield Server(port, tls_port, made.file)


@pytest.fixture
def site(mail_server: Server) -> Iterator[str]:
    """A site that sends a mail to whoever has forgotten the password, and lets in who knows the code in it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            if asked.path == "/forgot":
                link = f"http://{self.headers['Host']}/enter?token=abc"
                mail_server.deliver("Your newsletter", to=query["mail"])
                mail_server.deliver(
                    "Your code",
                    to=query["mail"],
                    text="Your code is 918273. Order 5 of 2026-11-30.",
                    html=f"<a href='{link}'>in</a>",
                )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<p>{'in' if query.get('code') == '918273' or query.get('token') == 'abc' else 'out'}".encode())

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(PAUSE,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.thorough
def test_a_journey_enters_with_the_code_and_the_link_of_a_mail(
    mail_server: Server, site: str, chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEY_SECRET_MAILBOX_PASSWORD", "oolong-77")
    monkeypatch.setenv("SSL_CERT_FILE", str(mail_server.authority))
    mail_server.deliver("Your code", text="an old one, 111111")
    with Workers(1) as workers:
        monitor = Monitor(tmp_path, site, chromium, workers)
        result = monitor.run(
            """
            @journey
            def forgot(page, step, mailbox):
                with step("ask for a mail"):
                    page.goto(f"/forgot?mail={mailbox.address.replace('+', '%2B')}")
                with step("receive it"):
                    mail = mailbox.wait(subject="your CODE", to=mailbox.address, sender="tea@", text="code is", timeout="60s")
                with step("enter the code"):
                    page.goto(f"/enter?code={mail.code()}")
                    expect(page.locator("p")).to_have_text("in")
                with step("follow the link"):
                    page.goto(mail.link("token="))
                    expect(page.locator("p")).to_have_text("in")
            """,
            mailbox=mail_server.tls_address,
            trace="on",
        )
        assert (result.status, result.failure) == ("passed", None)
        saved = b"".join(file.read_bytes() for file in monitor.saved().rglob("*.json*"))
        assert b"918273" not in saved
        assert result.steps[1].latency_seconds is not None
        failed = monitor.run(
            """
            @journey
            def wait(page, step, mailbox):
                with step("receive it"):
                    page.goto(f"/forgot?mail={mailbox.address.replace('+', '%2B')}")
                    mailbox.wait(subject="receipt", timeout=1)
            """,
            mailbox=mail_server.tls_address,
        )
    assert failed.failure is not None
    assert (failed.status, failed.failure.kind) == ("failed", "assertion")
    assert "no mail with subject 'receipt' within 1 s; what came: 'Your newsletter', 'Your code'" in failed.failure.message


@pytest.mark.thorough
def test_mails_are_given_once_and_only_those_that_come_after_the_beginning(mail_server: Server) -> None:
    noted: list[tuple[float, float]] = []
    mail_server.deliver("before")
    with open_mailbox(mail_server.address, Secrets(KNOWN), lambda begun, ended: noted.append((begun, ended))) as box:
        assert box.address.startswith("monitor+")
        mail_server.deliver("first")
        late = threading.Timer(0.2, mail_server.deliver, ["second"])
        late.start()
        assert [box.wait(timeout=60).subject for _ in range(2)] == ["first", "second"]
        late.join()
        with pytest.raises(AssertionError, match=r"no mail with any text within 0\.2 s; none came"):
            box.wait(timeout="200ms")
    assert len(noted) == 3
    assert all(begun <= ended for begun, ended in noted)


@pytest.mark.thorough
def test_a_wrong_password_and_a_server_that_is_away_are_the_monitors(mail_server: Server) -> None:
    with (
        pytest.raises(
            MailboxError, match=r"mailbox at 127\.0\.0\.1 cannot be read: .*AUTHENTICATIONFAILED.*the secret MAILBOX_PASSWORD"
        ),
        open_mailbox(mail_server.address, Secrets({"JOURNEY_SECRET_MAILBOX_PASSWORD": "wrong-one"}), lambda *_: None),
    ):
        pass
    with (
        pytest.raises(MailboxError, match="Connection refused"),
        open_mailbox(f"imap://monitor@127.0.0.1:{free_port()}", Secrets(KNOWN), lambda *_: None),
    ):
        pass


def test_without_a_mailbox_a_journey_that_asks_for_one_is_refused(monitor: Monitor) -> None:
    from runner.errors import ConfigError

    with pytest.raises(ConfigError, match="walk asks for mailbox, and there is none; set mailbox to an address such as"):
        monitor.run("@journey\ndef walk(page, mailbox):\n    page.goto('/')\n    mailbox.wait()\n")


class Raw:
    """What imap-tools makes of a mail."""

    subject, from_, to = "Hello", "a@b.example", ("c@d.example",)

    def __init__(self, text: str = "", html: str = "") -> None:
        self.text, self.html = text, html


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code is 4711.", "4711"),
        ("On 2026-11-30 your code: 123456", "123456"),
        ("pay 10.5000 with 99112233!", "99112233"),
        ("call 0123456789 or use 5555", "5555"),
    ],
)
def test_a_code_is_the_first_short_number_that_is_no_date_or_amount(text: str, code: str) -> None:
    hidden: list[str] = []
    assert _read(Raw(text), hidden.append).code() == code
    assert hidden == [code]


def test_a_code_can_have_any_form_and_what_is_missing_is_said() -> None:
    mail: Mail = _read(
        Raw(html="<style>p{}</style><p>Your key: <b>AB-12</b>. <a href='https://x.example/a?b=1&amp;c=2'>in</a>"),
        lambda _: None,
    )
    assert mail.code(r"key: (\S+)\.") == "AB-12"
    assert mail.links == ("https://x.example/a?b=1&c=2",)
    with pytest.raises(AssertionError, match=r"the mail 'Hello' has no code; its text begins: 'Your key: AB-12\. in'"):
        mail.code()
    with pytest.raises(AssertionError, match=r"has no link with 'confirm'; it has: https://x\.example/a\?b=1&c=2"):
        mail.link("confirm")


class Box:
    """As imap-tools gives it: mails as they were sent, by their numbers from 1."""

    def __init__(self, mails: list[bytes]) -> None:
        self.folder = self.idle = self
        self.came = mails

    def wait(self, timeout: float) -> None:
        """Nothing else comes."""

    def get(self) -> str:
        return "INBOX"

    def status(self, *_: object) -> dict[str, int]:
        return {"UIDNEXT": 1}

    def uids(self, _: str) -> list[str]:
        return [str(number + 1) for number in range(len(self.came))]

    def fetch(self, which: str, **_: object) -> Iterator[Any]:
        from imap_tools import MailMessage

        yield MailMessage.from_bytes(self.came[int(which.split()[1]) - 1])


HEAD = b"From: a@shop.example\r\nTo: b@shop.example\r\nSubject: tea\r\n"
STRANGE = {
    "an encoding that cannot be decoded": HEAD + b"Content-Type: text/plain; charset=undefined\r\n\r\nhello",
    "an encoding with NUL": HEAD + b'Content-Type: text/plain; charset="a\0b"\r\n\r\nhello',
    "a subject that is not base64": b"Subject: =?utf-8?B?A?=\r\n\r\nhello",
    "HTML of a kind that does not exist": HEAD + b"Content-Type: text/html\r\n\r\n<![bogus[x]>hello",
    "brackets in an address": b"To: " + b"(" * 50_000 + b"\r\n\r\nhello",
    "a long list of addresses": b"To: " + b"a@b," * 100_000 + b"\r\n\r\nhello",
    "mails in mails": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1_500 + b"\r\nhello",
}


@pytest.mark.parametrize("form", STRANGE)
def test_a_mail_that_cannot_be_read_does_not_end_the_wait_for_another(form: str) -> None:
    """Anybody can send one to the mailbox."""
    pytest.importorskip("imap_tools")
    box: Any = Box([STRANGE[form], HEAD.replace(b"tea", b"wanted") + b"\r\nhello"])
    mailbox = Mailbox("monitor@shop.example", box, lambda _began, _ended: None, lambda _: None)
    assert mailbox.wait(subject="wanted", timeout=30).text == "hello"


def test_what_came_in_place_of_a_mail_is_said_also_when_it_cannot_be_read() -> None:
    pytest.importorskip("imap_tools")
    box: Any = Box([STRANGE["an encoding that cannot be decoded"]])
    mailbox = Mailbox("monitor@shop.example", box, lambda _began, _ended: None, lambda _: None)
    with pytest.raises(AssertionError, match=r"what came: .a mail that cannot be read \(UnicodeError"):
        mailbox.wait(timeout=0.001)


@pytest.mark.parametrize(
    "address", ["mail.example", "imaps://mail.example", "pop3://me@mail.example", "imaps://me@mail.example:0", 3]
)
def test_what_is_no_mailbox_is_refused(address: object) -> None:
    with pytest.raises(ValueError, match="is not the address of a mailbox"):
        parse_mailbox(address)


def test_a_password_has_no_place_in_an_address() -> None:
    with pytest.raises(ValueError, match="holds a password; remove it") as error:
        parse_mailbox("imaps://me:oolong-77@mail.example")
    assert "oolong" not in str(error.value)
