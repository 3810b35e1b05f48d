"""Small servers that checks ask: HTTP and HTTPS with odd answers, a name server, a port that talks."""

import socket
import socketserver
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.support.certificates import OwnCertificate

RELEASE = threading.Event()


class Pages(BaseHTTPRequestHandler):
    """Answers as a path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The answer of a path."""
        match self.path:
            case "/redirect":
                self._answer(b"", 302, {"Location": "/health"})
            case "/loop":
                self._answer(b"", 302, {"Location": "/loop"})
            case "/elsewhere":
                self._answer(b"", 302, {"Location": "file:///etc/passwd"})
            case "/broken":
                self._answer(b"it broke", 500)
            case "/big":
                self._answer(b"x" * 3_000_000 + b"end")
            case "/bomb":
                packer = zlib.compressobj(wbits=31)
                self._answer(packer.compress(b"0" * 50_000_000) + packer.flush(), headers={"Content-Encoding": "gzip"})
            case "/controls":
                self._answer(b"\x1b[31mred\x07\x00 \xe2\x80\xae")
            case "/hang":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                RELEASE.wait(60)
            case "/echo":
                self._answer(f"{self.headers.get('Authorization')} {self.headers.get('X-Team')}".encode())
            case _:
                self._answer(b'{"state": "ok"}', headers={"Content-Type": "application/json", "X-Cache": "hit, fresh"})

    def _answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that closes early is what some tests are about."""


@contextmanager
def served(server: socketserver.TCPServer) -> Iterator[int]:
    """The port of a server while it runs."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        port: int = server.socket.getsockname()[1]
        yield port
    finally:
        RELEASE.set()
        server.shutdown()
        server.server_close()
        RELEASE.clear()


@contextmanager
def http_server(certificate: OwnCertificate | None = None) -> Iterator[int]:
    """An HTTP server, with a certificate one of HTTPS."""
    server = _Server(("127.0.0.1", 0), Pages)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with served(server) as port:
        yield port


class Talker(socketserver.StreamRequestHandler):
    """Greets, answers EHLO, and starts TLS when it is asked to."""

    certificate: OwnCertificate | None = None

    def handle(self) -> None:
        """One conversation."""
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        while line := self.rfile.readline(200):
            word = line.strip().upper()
            if word.startswith(b"EHLO"):
                self.wfile.write(b"250-mail.example\r\n250 STARTTLS\r\n")
            elif word == b"STARTTLS" and self.certificate is not None:
                self.wfile.write(b"220 go ahead\r\n")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate.file, self.certificate.key)
                secure = context.wrap_socket(self.connection, server_side=True)
                with secure, secure.makefile("rb") as received:
                    for line in received:
                        secure.sendall(b"250 encrypted\r\n" if line.upper().startswith(b"EHLO") else b"502 no\r\n")
                return
            elif word == b"HANG":
                RELEASE.wait(60)
            else:
                self.wfile.write(b"502 no such command\r\n")


@contextmanager
def talking_server(certificate: OwnCertificate | None = None) -> Iterator[int]:
    """A server of lines of text."""
    handler = type("OwnTalker", (Talker,), {"certificate": certificate})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with served(server) as port:
        yield port


RECORDS = {
    ("shop.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("shop.example.", "MX"): ["10 mail.example."],
    ("shop.example.", "TXT"): ['"v=spf1 -all"'],
}


def answer_query(query: dns.message.Message) -> dns.message.Message | None:
    """The answer of the name server; None for silence."""
    question = query.question[0]
    name, kind = question.name.to_text(), question.rdtype.name
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA | dns.flags.RA
    if name == "silent.example.":
        return None
    if name == "refused.example.":
        answer.set_rcode(dns.rcode.REFUSED)
    elif (name, kind) in RECORDS:
        answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, RECORDS[name, kind]))
    elif not any(known == name for known, _ in RECORDS):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer


@contextmanager
def name_server(respond: Callable[[dns.message.Message], dns.message.Message | None] = answer_query) -> Iterator[int]:
    """A name server on UDP."""

    class Names(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            answer = respond(dns.message.from_wire(self.request[0]))
            if answer is not None:
                self.request[1].sendto(answer.to_wire(), self.client_address)

    with served(socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names)) as port:
        yield port


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
