"""The command's output in any encoding, on streams that are closed or full, and without what a terminal obeys."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pytest

from tests.conftest import Monitor
from tests.pages import serving_pages
from tests.support.services.databases import copied
from tests.support.thorough import thorough_but

JOURNEY = [sys.executable, "-m", "runner.cli"]
WALK = """
    @journey
    def walk(page, step):
        with step("öffnen ✓ 🛒"):
            page.goto("/")
"""


@pytest.fixture(autouse=True)
def database(monitor: Monitor, empty: Path) -> None:
    """The folder's database is there, as after a first run."""
    copied(empty, monitor.folder / "runs")


ONE_BY_ONE = """
import json, sys
from runner.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["journey", *words]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, words
"""
"""A program that runs one command after the other: for what only the encoding of its streams decides."""


def shell(monitor: Monitor, script: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a script of the shell in which `journey` is the command."""
    function = f"journey() {{ '{sys.executable}' -m runner.cli \"$@\"; }}; "
    env = {**os.environ, "SHOP": monitor.shop, "PYTHONPATH": str(Path(__file__).parents[3]), **environment}
    return subprocess.run(["bash", "-c", function + script], cwd=monitor.folder, env=env, capture_output=True, check=False)


@pytest.mark.long
@pytest.mark.parametrize(
    ("environment", "line"),
    thorough_but(
        1,
        [
            ({"PYTHONIOENCODING": "ascii"}, b"walk  + offnen + ?"),
            ({"PYTHONIOENCODING": "latin-1"}, "walk  + öffnen + ?".encode("latin-1")),
            ({"PYTHONIOENCODING": "utf-8"}, "walk  ✓ öffnen ✓ 🛒".encode()),
            ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, b"walk  + offnen + ?"),
        ],
    ),
)
def test_what_an_encoding_lacks_is_shown_by_similar_signs(monitor: Monitor, environment: dict[str, str], line: bytes) -> None:
    file = monitor.write(WALK)
    ended = shell(monitor, f"journey run {file} --base-url $SHOP", **environment)
    assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False), ended.stderr
    assert line in ended.stdout
    commands = [["list", str(file)], ["runs"], ["show", "last"], ["check", str(file)]]
    shown = shell(monitor, f"'{sys.executable}' -c {quote(ONE_BY_ONE)} {quote(json.dumps(commands))}", **environment)
    assert (shown.returncode, b"Traceback" in shown.stderr) == (0, False), shown.stderr
    listed = shell(monitor, "journey runs --json -", **environment)
    assert json.loads(listed.stdout.decode())["runs"]


@pytest.mark.long
@pytest.mark.parametrize(
    "redirection",
    thorough_but(1, ["> /dev/full", "<&- >&- 2>&-", "> /dev/full 2> /dev/full", ">&-", ">&- 2>&-", "| head -0"]),
)
def test_a_run_is_saved_whatever_its_output_goes_to(monitor: Monitor, redirection: str) -> None:
    file = monitor.write(WALK + "            print('x' * 200_000)\n")
    ended = shell(monitor, f"journey run {file} --base-url $SHOP {redirection}; exit ${{PIPESTATUS[0]}}")
    assert b"Traceback" not in ended.stderr
    assert (monitor.archive.find("last").result.status, monitor.archive.find("last").result.notes) == ("passed", ())
    full = "/dev/full" in redirection
    assert ended.returncode == (3 if full else 0)
    if redirection == "> /dev/full":
        assert b"standard output could not be written: No space left on device" in ended.stderr


def texts(value: object) -> Iterator[str]:
    """The strings of a decoded JSON value."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(one)


SAYING = r"""<h1></h1><script>
    document.querySelector('h1').textContent = '\x1b]0;HEADING\x07\u202e';
    document.title = '\x1b[2J\x9btitle';
    performance.mark('\x1b]0;MARK\x07');
    setTimeout(() => { throw Error('\x1b]0;ERROR\x07') });
</script>"""


@pytest.mark.thorough
def test_no_control_character_of_a_page_reaches_the_terminal(monitor: Monitor) -> None:
    file = monitor.write("""
        import sys
        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/")
                page.wait_for_function("document.readyState === 'complete'")
            with step("named " + page.title()):
                print(page.title())
                sys.stderr.write(page.title())
                expect(page.locator("h1")).to_have_text("nothing", timeout=300)
    """)
    with serving_pages({"/": SAYING}) as site:
        printed = [shell(monitor, f"journey run {file} --base-url {site}")]
    printed += [shell(monitor, f"journey {command}") for command in ("show last", "runs", "show last-failed")]
    text = b"".join(one.stdout + one.stderr for one in printed).decode()
    for word in ("HEADING", "MARK", "ERROR", "named [2Jtitle"):
        assert word in text
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}
    saved = json.loads((monitor.saved() / "result.json").read_text())
    assert "\x1b" not in "".join(texts(saved))


@pytest.mark.thorough
def test_on_a_terminal_the_colours_are_the_commands_own(monitor: Monitor) -> None:
    file = monitor.write(r"""
        @journey
        def walk(page, step):
            with step("a\x1b[31mb\x1b]0;title\x07"):
                raise AssertionError("\x1b[2Jsite")
    """)
    # `script` gives the command a terminal of its own.
    ended = shell(monitor, f"script -qec '{sys.executable} -m runner.cli run {file} --base-url $SHOP' /dev/null", TERM="xterm")
    assert "a[31mb]0;title" in ended.stdout.decode()
    assert b"\x1b[" in ended.stdout
    for sequence in (b"\x1b[31mb", b"\x1b]0;", b"\x1b[2J", b"\x07"):
        assert sequence not in ended.stdout


USING = """
    import io, logging, os, subprocess, sys
    @journey
    def walk(step, secrets):
        secret = secrets["PW"].reveal()
        with step("write"):
            print("print", secret, "\\ud83d", flush=True)
            sys.stdout.buffer.write(f"buffer {secret} \\u20ac\\n".encode())
            sys.stdout.buffer.flush()
            subprocess.run(["printf", "child %s\\n", secret], stdout=sys.stdout, stderr=sys.stderr, check=True)
            os.write(sys.stderr.fileno(), f"descriptor {secret}\\n".encode())
            sys.stdout.reconfigure(encoding="ascii", line_buffering=True)
            assert (sys.stdout.encoding, sys.stdout.writable(), sys.stdout.isatty(), sys.stdout.closed) == ("utf-8", True, False, False)
            io.TextIOWrapper(sys.stdout.buffer, "utf-8", write_through=True).write(f"wrapped {secret}\\n")
            logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
            logging.warning("logged %s", secret)
            sys.stdout.write("half " + secret[:7])
            sys.stdout.write(secret[7:] + " end")
            sys.stdout.close()
"""


@pytest.mark.thorough
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_journey_can_use_its_output_as_a_file_and_its_secrets_stay_hidden(monitor: Monitor, encoding: str) -> None:
    file = monitor.write(USING)
    ended = shell(
        monitor, f"journey run {file} --base-url $SHOP", JOURNEY_SECRET_PW="oolong-and-milk", PYTHONIOENCODING=encoding
    )
    printed = (ended.stdout + ended.stderr).decode()
    assert ended.returncode == 0, printed
    assert "oolong" not in printed
    for word in ("print", "buffer", "child", "descriptor", "wrapped", "logged", "half"):
        assert f"{word} " in printed
