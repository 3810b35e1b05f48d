"""No secret in any byte of any artifact; and the search is one that finds them when redaction is off."""

import gzip
import html
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import quote, quote_plus

import brotli
import pytest
import zstandard
from playwright.sync_api import expect, sync_playwright

from reports.trace_viewer import serving
from runner.browser.chromium import Browser
from runner.demo import journeys_folder
from runner.dsl.discovery import discover
from runner.dsl.plan import plan
from runner.metrics.run_metrics import format_metrics as metrics_text
from runner.result import RunResult
from runner.settings.artifact_kinds import ARTIFACT_KINDS
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.support.wait import PAUSE

pytestmark = pytest.mark.thorough

SECRETS = {
    "user": "anna.leak@example.com",
    "password": "pa$$ w<o>r&d'\"1",
    "token": "ghp_9sXq2LmN8vB4kT7z",
    "pin": "739146",
    "slashes": "a/b+c=d/e+f==",
    "accents": "Grüße-aus-Köln-€",
    "backslash": "C:\\secret\\path",
    "percent": "100%sure&true=1",
    "braces": '{"k":"v-secret"}',
    "question": "why?not#frag~x",
    "plus": "one+two three+four",
    "long": "Q2hhcmxlcyBEaWNrZW5zIHdyb3RlIHRoaXM-and_more-of-it-so-that-it-is-long",
}
KEY = "JBSWY3DPEHPK3PXP"
"""Of one-time codes, in base32."""
JOURNEY = """
    import json
    @journey
    def walk(page, context, step, request, secrets):
        names = {names!r}
        with step("sign in"):
            for how in ("multipart", "form"):
                page.goto(f"/switch/mirror?as={{how}}&names={{','.join(names)}}")
                for name in names:
                    page.get_by_label(name, exact=True).fill(secrets[name].reveal())
                page.get_by_role("button", name="Show").click()
                expect(page.get_by_role("heading", name="Repeated")).to_be_visible()
                page.wait_for_load_state("networkidle")
        with step("use everything"):
            for name in names:
                text = secrets[name].reveal()
                page.evaluate("text => text.length", text)
                page.evaluate(f"() => {{json.dumps(text)}}.length")
                print("printed", text)
                request.post("/switch/mirror?as=json", data={{"text": text}}, headers={{"Authorization": "Bearer x-" + name}})
                page.get_by_label(name, exact=True).press_sequentially(text)
                page.get_by_label(name, exact=True).fill("")
            page.get_by_label("user", exact=True).focus()
            page.keyboard.insert_text(secrets["user"].reveal())
            code = secrets.totp("key").reveal()
            page.get_by_label("user", exact=True).fill(code)
            request.post("/switch/mirror?as=json", data={{"code": code}})
            print("code", code, end=" code end\\n")
        with step("fail with all of them"):
            raise AssertionError(" and ".join(secrets[name].reveal() for name in names))
"""


def forms(secret: str) -> set[bytes]:
    """What to look for: made by the encoders that sites use, not by what hides them."""
    texts = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
    }
    texts |= {html.escape(secret), html.escape(secret, quote=False), html.escape(json.dumps(secret)[1:-1])}
    texts |= {quote(one, safe=safe) for one in list(texts) for safe in ("", "/", "!*'()~")}
    texts |= {quote_plus(secret), quote(quote(secret, safe=""), safe=""), quote_plus(secret).lower()}
    raw = {one.encode() for one in texts}
    for shift in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            encoded = encode(b"\0" * shift + secret.encode())
            inner = encoded[4 if shift else 0 : -4]
            raw |= {inner, quote(inner, safe="").encode()} if len(inner) > 5 else set()
    return raw


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its name, and what is packed in it."""
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        yield from unpacked(str(file.relative_to(folder)), file.read_bytes())


def unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for inner in archive.namelist():
                yield from unpacked(f"{name}!{inner}", archive.read(inner))
    if content.startswith(b"\x1f\x8b"):
        yield from unpacked(f"{name}!gunzip", gzip.decompress(content))
    if name.endswith(".har"):
        for entry in json.loads(content)["log"]["entries"]:
            body = entry["response"]["content"]
            if body.get("encoding") == "base64":
                yield from unpacked(f"{name}!{entry['request']['url'][:60]}", b64decode(body["text"]))


def leaks(folder: Path, result: RunResult, printed: str) -> dict[str, set[str]]:
    """For each secret, where it was found."""
    files = [*everything(folder), ("printed", printed.encode()), ("metrics", metrics_text([result]).encode())]
    files += [("result", str(result).encode())]
    found: dict[str, set[str]] = {}
    for name, secret in SECRETS.items():
        for form in forms(secret):
            for file, content in files:
                if form in content:
                    found.setdefault(name, set()).add(file)
    return found


def run(monitor: Monitor, **environment: str) -> tuple[RunResult, str]:
    """Runs the journey with every kind of artifact as a user would; returns the result, and all that was printed."""
    file = monitor.write(JOURNEY.format(names=list(SECRETS)))
    command = [sys.executable, "-m", "runner.cli", "run", str(file), "--base-url", monitor.shop, "--json", "-"]
    folder = keep_secret(monitor, SECRETS["token"], "token")
    dotenv = monitor.folder / "secrets.env"
    dotenv.write_text(f"pin={SECRETS['pin']}\nkey={KEY}\n")
    planted = {f"JOURNEY_SECRET_{name}": secret for name, secret in SECRETS.items() if name not in {"token", "pin"}}
    planted |= {"JOURNEY_SECRETS_DIR": str(folder), "JOURNEY_SECRETS_FILE": str(dotenv)}
    policies = {f"JOURNEY_{kind.upper()}": "on" for kind in ARTIFACT_KINDS} | {"JOURNEY_ACCESSIBILITY": "on"}
    ended = subprocess.run(
        command,
        env={**os.environ, **planted, **policies, **environment},
        cwd=monitor.folder,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1, ended.stderr
    return monitor.archive.find("last").result, ended.stdout + ended.stderr


@pytest.mark.usefixtures("ffmpeg")
def test_no_secret_is_left_in_any_artifact_and_the_trace_opens_in_the_viewer(monitor: Monitor, chromium: Browser) -> None:
    result, printed = run(monitor)
    assert {one.kind for one in result.artifacts} == {one.name for one in ARTIFACT_KINDS.values()} - {"video"}, result.notes
    assert (result.status, result.failure and result.failure.message.count("•••")) == ("failed", len(SECRETS))
    assert printed.count("printed •••") == len(SECRETS)
    assert "code ••• code end" in printed
    assert "video: not kept, a secret stood on the page" in result.notes
    assert leaks(monitor.saved(), result, printed) == {}
    with serving(monitor.saved() / "trace.zip") as address, sync_playwright() as playwright:
        viewer = playwright.chromium.launch(executable_path=chromium.path)
        page = viewer.new_page()
        page.goto(address)
        page.get_by_role("treeitem", name="sign in").click()
        page.get_by_role("treeitem", name="sign in").press("ArrowRight")
        page.get_by_role("treeitem", name="Fill").first.click()
        page.get_by_role("tab", name="After").click()
        snapshot = page.frame_locator("iframe.snapshot-visible")
        expect(snapshot.get_by_role("heading", name="Mirror")).to_be_visible()
        expect(snapshot.get_by_label("user", exact=True)).to_have_value("•••")
        page.get_by_role("tab", name="Network").click()
        expect(page.get_by_text("mirror").first).to_be_visible()
        viewer.close()


@pytest.mark.usefixtures("ffmpeg")
def test_with_redaction_off_the_same_search_finds_every_secret(monitor: Monitor) -> None:
    result, printed = run(monitor, JOURNEY_REDACTION="off")
    found = leaks(monitor.saved(), result, printed)
    assert set(found) == set(SECRETS)
    everywhere = set.union(*found.values())
    assert {
        "requests.har",
        "console.jsonl",
        "page-errors.jsonl",
        "failed-requests.jsonl",
        "result.json",
        "printed",
    } <= everywhere
    assert {name for name in everywhere if "trace.zip!trace" in name} == {"trace.zip!trace.trace", "trace.zip!trace.network"}
    assert any("!resources/" in name for name in everywhere)
    assert {"replay.json.gz!gunzip"} <= everywhere
    assert any(name.startswith("aria/") for name in everywhere)
    assert re.search(r"code \d{6} code end", printed)
    assert "video" in {one.kind for one in result.artifacts}


def keep_secret(monitor: Monitor, text: str, name: str = "PW") -> Path:
    """Puts a secret where a run looks for it; returns the folder for `secrets_dir`."""
    folder = monitor.folder / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


SIGN_IN = """
        @journey
        def walk(page, step, secrets):
            with step("sign in"):
                page.goto("/switch/mirror")
                page.get_by_label("user", exact=True).fill(secrets["PW"].reveal())
                page.wait_for_timeout(300)
                page.get_by_role("button", name="Show").click()
                expect(page.get_by_role("heading", name="Repeated")).to_be_visible()
                page.get_by_label("user", exact=True).fill(secrets["PW"].reveal())
                page.wait_for_timeout(300)
"""


def pixels(monitor: Monitor, password: str) -> bytes:
    """A screenshot after a secret was typed and sent to a page that repeats it."""
    monitor.run(SIGN_IN, screenshots="on", secrets_dir=keep_secret(monitor, password))
    return (monitor.saved() / "screenshots" / "sign-in.png").read_bytes()


def test_a_screenshot_does_not_depend_on_the_secret(monitor: Monitor) -> None:
    # The same letters in another order: the same width, so that what is covered is as large.
    assert pixels(monitor, "abcdefghij-oolong") == pixels(monitor, "gnoloo-jihgfedcba")


def last_frame(ffmpeg: str, film: Path) -> bytes:
    """The last picture of a video, one byte of grey a pixel."""
    last = ["-vf", "reverse", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    return subprocess.run([ffmpeg, "-v", "error", "-i", str(film), *last], capture_output=True, check=True).stdout


def test_a_video_shows_dots_where_a_secret_is_typed(ffmpeg: str, monitor: Monitor) -> None:
    code = '''
        @journey
        def walk(page, step, secrets):
            with step("type"):
                page.goto("/switch/mirror")
                page.get_by_label("user", exact=True).evaluate("field => field.style.font = 'bold 90px monospace'")
                page.get_by_label("user", exact=True).fill(secrets["PW"].reveal())
                page.get_by_label("user", exact=True).blur()
                # Frames of the video come when something is painted: a change that nobody sees, painted many times, is in many of them.
                page.evaluate("""async () => {
                    for (let count = 0; count < 60; count++) {
                        document.body.style.background = count % 2 ? "#ffffff" : "#fefefe";
                        await new Promise(requestAnimationFrame);
                        await new Promise((resolve) => setTimeout(resolve, 20));
                    }
                }""")
    '''
    with Workers(1) as monitor.pool:
        for redaction in (True, False):
            frames = []
            for text in ("||||||||", "@@@@@@@@"):
                monitor.run(code, video="on", secrets_dir=keep_secret(monitor, text), redaction=redaction)
                frames.append(last_frame(ffmpeg, monitor.saved() / "video.webm"))
            assert len(frames[0]) == len(frames[1]) > 0
            largest = max(abs(one - other) for one, other in zip(*frames, strict=True))
            # Of 255; the codec's own noise is a few.
            assert (largest < 40) is redaction, largest


def test_a_picture_recorded_while_a_secret_is_shown_is_left_out(monitor: Monitor) -> None:
    leave = """
            with step("leave"):
                page.goto("/")
                page.wait_for_timeout(300)
    """
    result = monitor.run(SIGN_IN + leave, trace="on", secrets_dir=keep_secret(monitor, "abcdefghij-oolong"))
    assert any("pictures left out, a secret stood on the page" in note for note in result.notes)
    with zipfile.ZipFile(monitor.saved() / "trace.zip") as trace:
        frames = {json.loads(line)["file"] for line in trace.read("trace.trace").splitlines() if b'"screencast-frame"' in line}
        assert frames == {name for name in trace.namelist() if name.startswith("screencast/")}
    assert frames


TYPING = {
    "locator.fill": 'page.get_by_label("a").fill(text)',
    "locator.press_sequentially": 'page.get_by_label("a").press_sequentially(text)',
    "page.fill": 'page.fill("input", text)',
    "page.type": 'page.type("input", text)',
    "frame.fill": 'page.main_frame.fill("input", value=text)',
    "element": 'page.wait_for_selector("input").fill(text)',
    "keyboard": 'page.get_by_label("a").focus(); page.keyboard.type(text)',
}


@pytest.mark.parametrize("way", TYPING)
@pytest.mark.parametrize("late", ["show()", "setTimeout(show, 300)"], ids=["there", "late"])
def test_a_field_is_masked_before_a_secret_is_typed_however_it_is(monitor: Monitor, way: str, late: str) -> None:
    code = """
        @journey
        def walk(page, step, secrets):
            text = secrets["PW"].reveal()
            with step("type"):
                page.goto("/switch/timer")
                page.evaluate('''() => {
                    globalThis.styles = [];
                    document.body.innerHTML = "";
                    const show = () => {
                        document.body.innerHTML = "<label>a <input></label>";
                        const field = document.querySelector("input");
                        field.addEventListener("input", () => styles.push(field.style.cssText));
                    };
                    LATE;
                }''')
                TYPING
                styles = page.evaluate("styles")
                assert styles
                assert all("-webkit-text-security: disc" in style for style in styles), styles
    """
    folder = keep_secret(monitor, "oolong-and-milk")
    result = monitor.run(code.replace("LATE", late).replace("TYPING", TYPING[way]), secrets_dir=folder)
    assert (result.status, result.failure) == ("passed", None)


def test_a_field_that_never_comes_is_the_fills_own_timeout(monitor: Monitor) -> None:
    code = """
        @journey
        def walk(page, step, secrets):
            with step("type"):
                page.goto("/")
                page.get_by_label("nowhere").fill(secrets["PW"].reveal(), timeout=300)
    """
    result = monitor.run(code, secrets_dir=keep_secret(monitor, "oolong-and-milk"))
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("failed", "timeout")
    assert "Timeout 300ms exceeded" in result.failure.message
    assert 'get_by_label("nowhere")' in result.failure.message


def test_the_redacted_trace_of_every_shop_journey_opens_in_the_viewer(monitor: Monitor, chromium: Browser) -> None:
    keep_secret(monitor, "oolong-and-milk", "PASSWORD")
    folder = keep_secret(monitor, "tea@example.com", "EMAIL")
    options = {"base_url": monitor.shop, "trace": "on", "secrets_dir": folder}
    settings = load_settings(monitor.folder, options, {})
    plans = [plan(one, settings) for one in discover([journeys_folder()])]
    assert len(plans) == 4
    results = run_plans(monitor.pool, plans, monitor.chromium, settings, monitor.archive, [])
    with sync_playwright() as playwright:
        viewer = playwright.chromium.launch(executable_path=chromium.path)
        for result in results:
            assert result.status == "passed"
            with serving(monitor.archive.find(result.id).folder / "trace.zip") as address:
                page = viewer.new_page()
                page.goto(address)
                for step in result.steps:
                    expect(page.get_by_role("treeitem", name=step.name).first).to_be_visible()
                page.get_by_role("treeitem", name=result.steps[-1].name).first.click()
                page.get_by_role("tab", name="After").click()
                expect(page.frame_locator("iframe.snapshot-visible").get_by_role("heading").first).to_be_visible()
                page.get_by_role("tab", name="Network").click()
                expect(page.get_by_text("text/css").or_(page.get_by_text("shop.css")).first).to_be_visible()
                page.close()
        viewer.close()


class Packed(BaseHTTPRequestHandler):
    """Answers `/br`, `/zstd` and `/gzip` with a secret in a body that is compressed so, and `/` with a page that asks for them."""

    packers: ClassVar = {"/br": brotli.compress, "/zstd": zstandard.compress, "/gzip": gzip.compress}

    def do_GET(self) -> None:
        pack = self.packers.get(self.path)
        page = b"<title>p</title><h1>wait</h1><script>Promise.all(['br', 'zstd', 'gzip'].map(async (how) => "
        page += b"(await fetch(how)).text())).then((texts) => document.querySelector('h1').textContent = texts.length)</script>"
        body = pack(f"the secret is {SECRETS['token']} ".encode() * 20) if pack else page
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if pack else "text/html")
        if pack:
            self.send_header("Content-Encoding", self.path[1:])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Not logged."""


@pytest.mark.parametrize("redaction", [True, False])
def test_a_compressed_body_is_redacted_too(monitor: Monitor, redaction: bool) -> None:
    folder = keep_secret(monitor, SECRETS["token"], "token")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Packed)
    thread = Thread(target=server.serve_forever, args=(PAUSE,), daemon=True)
    thread.start()
    try:
        result = monitor.run(
            "@journey\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n"
            "        expect(page.get_by_role('heading', name='3')).to_be_visible()\n",
            base_url=f"http://127.0.0.1:{server.server_port}",
            secrets_dir=folder,
            trace="on",
            har="on",
            redaction=redaction,
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert result.status == "passed"
    assert bool(leaks(monitor.saved(), result, "")) is not redaction


SHOWING = {
    "a select": "<select><option>a</option><option selected>SECRET</option></select>",
    "a list": "<select size=3><option>a</option><option>SECRET</option></select>",
    "a label of an option": "<select><option selected label='SECRET'>a</option></select>",
    "a placeholder": "<input size=40 placeholder='SECRET'>",
    "a missing picture": "<img src='/nowhere' alt='SECRET' width=300 height=40>",
    "a button": "<input type=button value='SECRET'>",
    "upper case": "<p>SECRET_UPPER</p>",
    "a beginning": "<p>SECRET_CUT</p>",
    "a canvas": "<input><canvas width=300 height=40></canvas>",
}


@pytest.mark.parametrize("what", SHOWING)
def test_a_screenshot_covers_what_shows_a_secret_in_any_way(monitor: Monitor, what: str) -> None:
    code = """
        @journey
        def walk(page, step, secrets):
            secret = secrets["PW"].reveal()
            with step("show"):
                page.goto("/switch/timer")
                html = SHOWN.replace("SECRET_UPPER", secret.upper()).replace("SECRET_CUT", secret[:12]).replace("SECRET", secret)
                page.evaluate("html => { document.body.innerHTML = '<style>* { font: 16px monospace }</style>' + html }", html)
                page.evaluate('''secret => {
                    const canvas = document.querySelector("canvas");
                    if (canvas) canvas.getContext("2d").fillText(secret, 10, 20);
                }''', secret)
                if "<canvas" in html:
                    page.locator("input").fill(secret)
                # One that is still loading may be laid out otherwise than one that has failed to load.
                page.wait_for_function("[...document.images].every((one) => one.complete)")
    """
    taken = []
    for text in ("abcdefghij-oolong-1", "jihgfedcba-oolong-1"):
        result = monitor.run(
            code.replace("SHOWN", repr(SHOWING[what])), screenshots="on", secrets_dir=keep_secret(monitor, text)
        )
        assert result.status == "passed", result.failure
        taken.append((monitor.saved() / "screenshots" / "show.png").read_bytes())
    assert taken[0] == taken[1]
