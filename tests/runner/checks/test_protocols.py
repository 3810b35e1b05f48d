"""What checks ask, and what they say when the answer is not as expected."""

from pathlib import Path

import pytest
from msgspec import UNSET

from runner.execution.outcome import Execution
from runner.result import Failure, StepResult
from tests.runner.checks.conftest import RunCheck
from tests.runner.checks.servers import closed_port, http_server, talking_server
from tests.support.certificates import OwnCertificate, make_certificate, make_chain


def step_of(done: Execution, index: int = 0) -> StepResult:
    return done.attempts[-1].steps[index]


def phases_of(step: StepResult) -> list[str]:
    assert step.phases is not UNSET
    return list(step.phases)


def failure_of(done: Execution) -> Failure:
    failure = done.attempts[-1].failure
    assert failure is not None
    return failure


def test_an_address_answers_as_expected(run_check: RunCheck, site: str) -> None:
    done = run_check(
        """
        @check(every="1m")
        def shop(http):
            answer = http.get("/redirect", status=200, contains=['"state"', re.compile("o[k]")], lacks="fail",
                              header={"x-cache": "hit", "Content-Type": "json"}, under="20s")
            assert answer.json() == {"state": "ok"}
            assert answer.redirects == 1
            http.get("/health", name="again")
        """,
        base_url=site,
    )
    assert done.attempts[0].failure is None
    assert [step.name for step in done.attempts[0].steps] == ["GET /redirect", "again"]
    step = step_of(done)
    assert phases_of(step) == ["resolve", "connect", "processing", "transfer"]
    assert step.clock == "stopwatch"
    assert step.latency_seconds == step.wall_seconds


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ('http.get("/broken")', "http", "HTTP 500 from SITE/broken"),
        ('http.get("/health", status={201, 204})', "http", "HTTP 200 from SITE/health; expected 201 or 204"),
        ('http.get("/health", contains="down")', "assertion", """the body of SITE/health does not contain 'down'; it is '{"state": "ok"}'"""),
        ('http.get("/health", lacks="ok")', "assertion", "the body of SITE/health contains 'ok'"),
        ('http.get("/health", header={"Age": "1"})', "assertion", "SITE/health answers without the header 'Age'"),
        ('http.get("/health", header={"X-Cache": re.compile("miss")})', "assertion",
         "the header 'X-Cache' of SITE/health does not contain a match of 'miss'; it is 'hit, fresh'"),
        ('http.get("/loop")', "navigation", "more than 10 redirects; the last one leads to 'SITE/loop'"),
        ('http.get("/big", contains="end")', "assertion", "of which only the beginning was read"),
        ('http.get("/bomb", contains="1")', "assertion", "of which only the beginning was read"),
        ('http.get("/controls", contains="green")', "assertion", "does not contain 'green'; it is '[31mred'"),
        ('http.get("/health", under=0.000001)', "assertion", "expected less than 1e-06 s"),
        ('http.get("http://127.0.0.1:CLOSED/")', "navigation", "127.0.0.1:CLOSED refused the connection"),
        ('http.get("mailto:a@b")', "journey", "'mailto:a@b' is not an address of HTTP"),
        ('http.get("/health", under="soon")', "journey", "http.get: under:"),
        ('http.get("")', "journey", "http.get: '' is not a text"),
        ('[http.get("/health") for _ in range(2)]', "journey", "has already run in this check; give one of the two a name"),
        ('assert http.get("/health").status == 201', "assertion", "an assertion failed"),
        ('print(http)', "journey", "the check ended without asking anything"),
        ('tcp.connect("127.0.0.1:CLOSED")', "navigation", "127.0.0.1:CLOSED refused the connection"),
        ('tcp.connect("127.0.0.1")', "journey", "'127.0.0.1' is not a host with a port"),
        ('http.get("/elsewhere")', "navigation", "a redirect leads to 'file://"),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_is_said_in_a_sentence(
    call: str, kind: str, message: str, run_check: RunCheck, site: str
) -> None:
    port = str(closed_port())
    done = run_check(f"@check\ndef shop(http, tcp):\n    {call.replace('CLOSED', port)}\n", base_url=site)
    failure = failure_of(done)
    assert message.replace("SITE", site).replace("CLOSED", port) in failure.message
    assert failure.kind == kind
    assert "\x1b" not in failure.message
    if "ended without" not in message:
        assert failure.line == 5


def test_a_failure_is_kept_although_the_check_goes_on(run_check: RunCheck, site: str) -> None:
    source = """
        @check
        def shop(http):
            try:
                http.get("/broken")
            except AssertionError:
                http.get("/health")
    """
    done = run_check(source, base_url=site)
    assert (done.attempts[0].status, failure_of(done).step) == ("failed", "GET /broken")
    assert [step.status for step in done.attempts[0].steps] == ["failed", "passed"]


def test_a_server_that_stops_in_the_middle_is_left_at_the_timeout_and_retried(run_check: RunCheck, site: str) -> None:
    done = run_check("@check(timeout=0.3)\ndef shop(http):\n    http.get('/hang')\n    http.get('/health')\n", base_url=site)
    assert failure_of(done).kind == "timeout"
    assert [step.status for step in done.attempts[0].steps] == ["failed", "skipped"]
    again = run_check("@check(retries=2)\ndef shop(http):\n    http.get('/broken')\n", base_url=site)
    assert [one.status for one in again.attempts] == ["failed"] * 3


def test_headers_and_basic_auth_are_sent(run_check: RunCheck, site: str) -> None:
    source = """
        from runner import Secret

        @check(headers={"X-Team": "shop"}, basic_auth=("me", "oolong-tea"))
        def shop(http):
            http.get("/echo", contains=["Basic bWU6b29sb25nLXRlYQ==", "shop"])
            http.get("/echo", headers={"X-Team": Secret("assam")}, contains="assam", name="with a secret")
    """
    assert run_check(source, base_url=site).attempts[0].failure is None


def test_a_certificate_is_verified_against_the_authorities_and_the_ca_file(
    run_check: RunCheck, certificate: OwnCertificate, tmp_path: Path
) -> None:
    with http_server(certificate) as port:
        trusted = f"@check(ca_file={str(certificate.file)!r})\ndef shop(http, tls, tcp):\n"
        done = run_check(
            f"{trusted}    http.get('https://localhost:{port}/health')\n    tls.expires('localhost:{port}', later_than='14d')\n"
            f"    tls.valid('localhost:{port}', at_least='TLS 1.3')\n    tcp.connect('127.0.0.1:{port}', tls=True)\n"
        )
        assert done.attempts[0].failure is None
        assert phases_of(step_of(done)) == ["resolve", "connect", "tls", "processing", "transfer"]
        assert phases_of(step_of(done, 1)) == ["resolve", "connect", "tls"]
        assert [(one.host, one.subject, one.protocol) for one in done.certificates] == [
            (f"127.0.0.1:{port}", "localhost", "TLS 1.3"),
            (f"localhost:{port}", "localhost", "TLS 1.3"),
        ]
        soon = failure_of(run_check(f"{trusted}    tls.expires('localhost:{port}', later_than='60d')\n"))
        assert (soon.kind, "days; expected more than 60" in soon.message) == ("assertion", True)
        other = failure_of(run_check(f"{trusted}    tls.valid('localhost:{port}', server_name='shop.example')\n"))
        assert (other.kind, "Hostname mismatch" in other.message) == ("navigation", True)
        for call in (f"http.get('https://localhost:{port}/')", f"tls.valid('localhost:{port}')"):
            unknown = failure_of(run_check(f"@check\ndef shop(http, tls):\n    {call}\n"))
            assert unknown.kind == "navigation"
            assert unknown.message == f"the certificate of localhost:{port} is not valid: self-signed certificate"
    expired = make_certificate(tmp_path, expired=True)
    with http_server(expired) as port:
        done = run_check(f"@check(ca_file={str(expired.file)!r})\ndef shop(tls):\n    tls.valid('localhost:{port}')\n")
        assert failure_of(done).message == f"the certificate of localhost:{port} is not valid: certificate has expired"


def test_a_chain_ends_with_its_first_certificate(run_check: RunCheck, tmp_path: Path) -> None:
    chain = make_chain(tmp_path)
    with http_server(chain.certificate) as port:
        head = f"@check(ca_file={str(chain.authority)!r})\ndef shop(tls):\n"
        done = run_check(f"{head}    tls.expires('localhost:{port}', later_than='9d')\n")
        assert done.attempts[0].failure is None
        assert [(one.subject, one.chain_ends_with, one.first_end) for one in done.certificates] == [
            ("localhost", "In between", chain.first_end)
        ]
        soon = failure_of(run_check(f"{head}    tls.expires('localhost:{port}', later_than='14d')\n"))
    assert soon.message.startswith(f"the certificate “In between” in the chain of localhost:{port} expires on ")


def test_a_port_talks_and_starts_tls(run_check: RunCheck, certificate: OwnCertificate) -> None:
    with talking_server(certificate) as port:
        head = f"@check(ca_file={str(certificate.file)!r}, timeout=20)\ndef mail(tcp):\n"
        done = run_check(
            f"{head}    tcp.connect('localhost:{port}', dialogue=[('expect', '220 '), ('send', 'EHLO me\\r\\n'), ('expect', '250 STARTTLS'),"
            " ('send', 'STARTTLS\\r\\n'), ('expect', '220'), 'tls', ('send', 'EHLO me\\r\\n'), ('expect', re.compile('^250 ', re.M))])\n"
        )
        assert done.attempts[0].failure is None
        assert [one.subject for one in done.certificates] == ["localhost"]
        wrong = failure_of(run_check(f"{head.replace('20)', '0.5)')}    tcp.connect('localhost:{port}', expect='POP3')\n"))
        assert wrong.kind == "timeout"
        assert wrong.message == f"localhost:{port} did not send 'POP3' in time; it sent '220 mail.example ESMTP'"
        unknown = failure_of(run_check(f"{head}    tcp.connect('localhost:{port}', dialogue=[('say', 'x')])\n"))
        assert (unknown.kind, "write ('send', text), ('expect', text) or 'tls'" in unknown.message) == ("journey", True)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ('"shop.example", "A", answers=["192.0.2.1", "192.0.2.2"], only=True', None, ""),
        ('"shop.example", "MX", answers="10 mail.example"', None, ""),
        ('"shop.example", "TXT", answers="v=spf1 -all"', None, ""),
        ('"shop.example", "A", answers="192.0.2.9"', "assertion", "shop.example A lacks 192.0.2.9; the answer is '192.0.2.1', '192.0.2.2'"),
        ('"shop.example", "A", answers="192.0.2.1", only=True', "assertion", "shop.example A has 1 unexpected answers"),
        ('"gone.example", "A"', "navigation", "the name gone.example does not exist (NXDOMAIN)"),
        ('"shop.example", "AAAA"', "navigation", "the name shop.example exists and has no AAAA records"),
        ('"refused.example", "A"', "navigation", "has no valid answer for refused.example: 'REFUSED'"),
        ('"silent.example", "A"', "timeout", "did not answer in time for silent.example"),
        ('"shop.example", "PORT"', "journey", "'PORT' is not a type of record"),
        ('"a..b", "A"', "journey", "cannot be asked for"),
    ],
)  # fmt: skip
def test_a_name_server_answers(call: str, kind: str | None, message: str, run_check: RunCheck, names: str) -> None:
    seconds = 0.5 if "silent" in call else 20
    done = run_check(f"@check(timeout={seconds})\ndef shop(dns):\n    dns.query({call}, server={names!r})\n")
    if kind is None:
        assert done.attempts[0].failure is None
        assert phases_of(step_of(done)) == ["request"]
        return
    failure = failure_of(done)
    assert message in failure.message
    assert failure.kind == kind


def test_the_resolver_of_the_machine_is_the_monitors_and_a_wrong_name_is_the_sites() -> None:
    import socket

    from runner.checks.failures import explain_network

    unknown = explain_network(socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "shop.example:443", "resolve")
    assert (unknown.kind, str(unknown)) == ("navigation", "the name shop.example does not exist, or has no address")
    silent = explain_network(socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "shop.example:443", "resolve")
    assert silent.kind == "monitor"
    assert explain_network(OSError(101, "Network is unreachable"), "shop.example:443", "connect").kind == "monitor"
    assert explain_network(OSError(113, "No route to host"), "shop.example:443", "connect").kind == "navigation"
    assert explain_network(ConnectionRefusedError(), "proxy:3128", "connect", proxied=True).kind == "monitor"
