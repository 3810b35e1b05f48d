"""The log of a daemon: every line is a record in the chosen form, whoever writes it."""

import json
import subprocess
import sys

PROGRAM = """
import logging, sys, threading, warnings
from runner.scheduler.logs import log_to_stderr

log_to_stderr(sys.argv[1])
log = logging.getLogger("journey.some")
log.info("started")
try:
    raise ValueError("first line\\n2026-01-01 00:00:00Z a forged record")
except ValueError:
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application\\n")
log.warning("of a stranger: \\x1b[2J \\ud83d \\u202e\\n2026-01-01 00:00:00Z a forged record", extra={"user": "\\ud83d"})
logging.getLogger("asyncio").debug("not wanted")
warnings.warn("a warning of a library")
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start()
thread.join()
"""


def logged(form: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, timeout=30, check=True)
    return done.stderr.splitlines()


def test_every_line_is_json_whoever_writes_it() -> None:
    records = [json.loads(line) for line in logged("json")]
    assert [one["level"] for one in records] == ["info", "error", "warning", "warning", "error"]
    assert "ValueError: first line" in records[1]["traceback"]
    assert records[3]["logger"] == "py.warnings"
    assert records[4]["message"] == "thread worker has ended with an error"
    assert "ZeroDivisionError" in records[4]["traceback"]


def test_no_text_of_a_stranger_looks_like_a_record() -> None:
    lines = logged("text")
    begun = [line for line in lines if not line.startswith(" ") and line]
    assert len(begun) == 5
    assert not any("forged" in line for line in begun)
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)
