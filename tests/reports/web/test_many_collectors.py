"""Two `journey serve` on one PostgreSQL behind a balancer: whichever one answers, and when one of them is killed."""

import gzip
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from reports.replay.chunk_store import FOLDER
from reports.replay.recording import read_recording
from reports.web.access.passwords.backoff import FREE
from runner.store import Store
from tests.reports.collector.arrivals import rows
from tests.reports.replay.test_chunks import SESSION, chunk
from tests.support.needs import needs
from tests.support.raw_http import CHROME
from tests.support.services.balancer import Balancer, balancing
from tests.support.services.programs import program
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough
DOCUMENT = Path(__file__).parents[3] / "docs" / "many-collectors.md"
SHOP = "https://shop.example"
TOKEN = "a-token-that-nobody-guesses"
CONFIGURATION = f"""
public_url = "http://monitor.example"
trusted_proxies = ["127.0.0.1"]
serve_drain = "60s"
[[apps]]
name = "shop"
origins = ["{SHOP}"]
rate = 1000
burst = 1000
"""
Answer = tuple[int, dict[str, str], bytes]


class Servers:
    """Two servers, each in a process of its own, in one folder and on one database."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.database = database
        self.ports = [free_port(), free_port()]
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Starts both and waits until they are ready."""
        environment = {**os.environ, "JOURNEY_DATABASE": self.database, "JOURNEY_SERVE_TOKEN": TOKEN}
        for port in self.ports:
            command = [sys.executable, "-m", "runner.cli", "serve", "--listen", f"127.0.0.1:{port}"]
            with (self.folder / f"output-{port}").open("wb") as output:
                self.processes.append(subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output, env=environment))
        for port, process in zip(self.ports, self.processes, strict=True):
            wait_until(partial(self._is_ready, port, process))
            assert process.poll() is None, (self.folder / f"output-{port}").read_text()

    def _is_ready(self, port: int, process: subprocess.Popen[bytes]) -> bool:
        return process.poll() is not None or get(f"http://127.0.0.1:{port}/readyz") is not None

    def stop(self) -> None:
        """Ends both."""
        for one in self.processes:
            one.kill()
            one.wait(30)


@pytest.fixture(scope="module")
@needs("real_time")
def servers(tmp_path_factory: pytest.TempPathFactory, postgres_copy: Callable[[], str]) -> Iterator[Servers]:
    """Both, for all tests of this file; the last one kills the first."""
    folder = tmp_path_factory.mktemp("servers")
    (folder / "journey.toml").write_text(CONFIGURATION)
    one = Servers(folder, postgres_copy())
    try:
        one.start()
        yield one
    finally:
        one.stop()


@pytest.fixture
def balancer(servers: Servers) -> Iterator[Balancer]:
    with balancing(*servers.ports) as one:
        yield one


def ask(address: str | int, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """A request to a balancer, or directly to the server at a port."""
    place = f"127.0.0.1:{address}" if isinstance(address, int) else address.removeprefix("http://")
    connection = HTTPConnection(place, timeout=60)
    named = {
        "host": "monitor.example",
        "user-agent": CHROME,
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    try:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def sign_in(address: str | int, token: str = TOKEN, network: str = "198.51.100.7") -> Answer:
    form = urlencode({"token": token}).encode()
    kind = "application/x-www-form-urlencoded"
    return ask(address, "POST", "/sign-in", form, content_type=kind, origin="http://monitor.example", x_forwarded_for=network)


def beacon(number: int, **fields: Any) -> bytes:
    seen = {"id": f"view-{number:08d}", "url": f"{SHOP}/item/7", "started_at": time.time() - 1, **fields}
    content = {"id": f"beacon-{number:08d}", "app": "shop", "session": f"session-{number // 4:06d}", "sent_at": time.time()}
    return json.dumps(content | {"views": [seen]}).encode()


def test_who_signs_in_at_one_is_signed_in_at_both_and_out_again(servers: Servers) -> None:
    one, other = servers.ports
    status, headers, _ = sign_in(one)
    assert status == 303
    cookie = headers["set-cookie"].partition(";")[0]
    assert [ask(port, "GET", "/runs", cookie=cookie)[0] for port in (one, other)] == [200, 200]
    assert ask(other, "POST", "/sign-out", cookie=cookie, origin="http://monitor.example")[0] == 303
    assert [ask(port, "GET", "/runs", cookie=cookie)[0] for port in (one, other)] == [401, 401]


def test_wrong_guesses_are_counted_together(servers: Servers, balancer: Balancer) -> None:
    guesses = [sign_in(balancer.address, f"a-wrong-token-{number}", "203.0.113.5")[0] for number in range(FREE + 2)]
    assert guesses == [401] * FREE + [429] * 2
    assert min(balancer.answered.values()) >= FREE // 2, "both were asked"
    assert [sign_in(port, network="203.0.113.99")[0] for port in servers.ports] == [429, 429], "the same network"
    assert [sign_in(port, network="198.51.100.7")[0] for port in servers.ports] == [303, 303], "another"
    stored = rows(servers.database, "SELECT key, parts FROM access_counts")
    assert all("203.0.113" not in f"{row}" and "wrong" not in f"{row}" for row in stored)


def test_a_page_at_one_hears_of_what_the_other_stores(servers: Servers) -> None:
    one, other = servers.ports
    cookie = sign_in(other)[1]["set-cookie"].partition(";")[0]
    connection = HTTPConnection("127.0.0.1", other, timeout=60)
    connection.request("GET", "/events", headers={"host": "monitor.example", "cookie": cookie})
    stream = connection.getresponse()
    assert stream.status == 200
    assert ask(one, "POST", "/v1/views", beacon(90_000_000), origin=SHOP)[0] == 202
    for line in iter(stream.readline, b""):
        if line == b"data: views\n":
            break
    else:
        pytest.fail("the stream ended")
    connection.close()
    assert b"/item/:id" in ask(other, "GET", "/users?app=shop", cookie=cookie)[2]


def test_a_recording_whose_pieces_go_to_both_plays(servers: Servers) -> None:
    for sequence, port in enumerate([*servers.ports, servers.ports[0]]):
        packed = gzip.compress(json.dumps(chunk(sequence, full=sequence == 0)).encode())
        assert ask(port, "POST", "/v1/replay", packed, origin=SHOP)[0] == 202
    with Store(servers.database) as store:
        recording = read_recording(store, servers.folder / "runs" / FOLDER, SESSION)
    assert recording is not None
    assert (len(recording.tabs), recording.gaps) == (1, ())
    assert len(recording.tabs[0].events) == 4
    cookie = sign_in(servers.ports[1])[1]["set-cookie"].partition(";")[0]
    assert ask(servers.ports[1], "GET", f"/sessions/{SESSION}/replay", cookie=cookie)[0] == 200


def test_one_of_them_makes_the_roll_ups_and_keeps_the_limits(servers: Servers) -> None:
    held = "SELECT count(*), count(DISTINCT objid) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
    held += f"WHERE locktype = 'advisory' AND granted AND datname = '{servers.database.rpartition('/')[2]}'"
    # Page views, recordings, errors.
    wait_until(lambda: rows(servers.database, held) == [(3, 3)])


def documented_block(begins: str, ports: tuple[int, int]) -> str:
    """A configuration of docs/many-collectors.md, with servers at these ports."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    found = str(next(one for one in blocks if one.startswith(begins)))
    for documented, port in zip(("10.0.0.11:8321", "10.0.0.12:8321"), ports, strict=True):
        assert documented in found
        found = found.replace(documented, f"127.0.0.1:{port}")
    return found


def nginx(folder: Path, port: int, ports: tuple[int, int]) -> list[str]:
    """The command of an nginx as documented, without TLS."""
    text = documented_block("upstream journey", ports).replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    own = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    start = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
    file = folder / "nginx.conf"
    file.write_text(f"{start}http {{\naccess_log off;\n{own}{text}}}\n")
    return ["nginx", "-c", str(file), "-e", str(folder / "error.log")]


def haproxy(folder: Path, port: int, ports: tuple[int, int]) -> list[str]:
    """The command of an HAProxy as documented, without TLS."""
    limits = "".join(f"  timeout {kind} 60s\n" for kind in ("connect", "client", "server"))
    front = f"frontend visitors\n  bind 127.0.0.1:{port}\n  default_backend journey\n"
    file = folder / "haproxy.cfg"
    back = documented_block("backend journey", ports).replace("X-Forwarded-Proto https", "X-Forwarded-Proto http")
    file.write_text(f"defaults\n  mode http\n{limits}{front}{back}")
    return ["haproxy", "-db", "-f", str(file)]


@pytest.mark.parametrize("balancer", [nginx, haproxy])
@pytest.mark.parametrize("away", [None, 0, 1])
def test_the_documented_balancers_pass_on_what_is_needed_and_another_answers_for_one_that_is_away(
    servers: Servers, tmp_path: Path, balancer: Callable[[Path, int, tuple[int, int]], list[str]], away: int | None
) -> None:
    ports = [free_port() if number == away else port for number, port in enumerate(servers.ports)]
    port = free_port()
    command = balancer(tmp_path, port, (ports[0], ports[1]))
    cookie = sign_in(servers.ports[0])[1]["set-cookie"].partition(";")[0]
    with program(command[0], command, port, tmp_path):
        wait_until(lambda: ask(port, "GET", "/readyz")[0] == 200, "the balancer has found a server")
        for number in range(4):
            body = beacon(80_000_000 + 10 * (3 if away is None else away) + number)
            assert ask(port, "POST", "/v1/views", body, origin=SHOP)[0] == 202
            assert ask(port, "GET", "/runs", cookie=cookie)[0] == 200
        # The page is addressed as visitors address it, and forms of it are taken from there.
        if balancer is nginx:
            assert sign_in(port)[0] == 303
            assert ask(port, "GET", "/metrics")[0] == 404


def test_one_that_is_asked_to_stop_is_not_ready_first_and_serves_on(servers: Servers, balancer: Balancer) -> None:
    """And killed then, while beacons come in: nothing that was acknowledged is lost, and nothing is there twice."""
    answered: set[str] = set()
    numbers = itertools.count()
    stopping = threading.Event()

    def send() -> None:
        while not stopping.is_set():
            number = next(numbers)
            body = beacon(number)
            # As a browser does: it sends what was not acknowledged again.
            while ask(balancer.address, "POST", "/v1/views", body, origin=SHOP, x_forwarded_for="198.51.100.9")[0] != 202:
                continue
            answered.add(f"beacon-{number:08d}")

    threads = [threading.Thread(target=send) for _ in range(4)]
    for one in threads:
        one.start()
    try:
        leaving, port = servers.processes[0], servers.ports[0]
        wait_until(lambda: len(answered) > 40)
        leaving.send_signal(signal.SIGTERM)
        wait_until(lambda: ask(port, "GET", "/readyz")[0] == 503)
        assert ask(port, "GET", "/healthz")[0] == 200
        before = balancer.answered[port]
        wait_until(lambda: balancer.answered[port] > before + 5, "it answers those who do not know yet")
        leaving.kill()
        leaving.wait(30)
        more = len(answered)
        wait_until(lambda: len(answered) > more + 40)
    finally:
        stopping.set()
        for one in threads:
            one.join(60)
    stored = [id_ for (id_,) in rows(servers.database, "SELECT id FROM beacons WHERE id LIKE 'beacon-0%'")]
    assert answered - set(stored) == set()
    assert len(stored) == len(set(stored))
    assert rows(servers.database, "SELECT id FROM page_views GROUP BY id HAVING count(*) > 1") == []
    # The one that is left takes over.
    rolled = "SELECT (SELECT value FROM marks WHERE name = 'rolled') = (SELECT max(number) FROM beacons)"
    wait_until(lambda: rows(servers.database, rolled) == [(True,)])
    views = "SELECT (SELECT sum(views) FROM tallies JOIN series ON id = series WHERE step = 86400 AND page = ''), count(*) FROM page_views"
    ((counted, there),) = rows(servers.database, views)
    # Each beacon has one page view, those of the tests before too.
    assert counted == there == rows(servers.database, "SELECT count(*) FROM beacons")[0][0] >= len(stored)
