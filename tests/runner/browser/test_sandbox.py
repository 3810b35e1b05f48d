"""Chromium's sandbox is on where it can be; where it cannot, that is said, and found out only once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.browser import sandbox
from tests.support.needs import needs

JOURNEY = """
from runner import journey
@journey
def open_it(page, step):
    with step("open"):
        page.goto("about:blank")
"""
FORBIDDEN = 'echo 1 > /proc/sys/user/max_user_namespaces; exec unshare --user --map-user=1000 --map-group=1000 "$0" "$@"'
"""In a user namespace of its own: whoever is started then is not root, and cannot create another namespace."""
FILTER = """
import ctypes, os, platform, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
chroot = {"x86_64": 161, "aarch64": 51}[platform.machine()]
# Load the number of the system call; if it is this one, EPERM; else it is allowed.
code = b"".join(struct.pack("HBBI", *one) for one in [(0x20, 0, 0, 0), (0x15, 0, 1, chroot), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)])
buffer = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Without `chroot`, as the filters of Docker and Podman have it for containers without capabilities."""
FILTERED = ["unshare", "--user", "--map-user=1000", "--map-group=1000", sys.executable, "-c", FILTER]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "open_it.py").write_text(JOURNEY)
    return tmp_path


def journey(project: Path, *args: str, namespace: bool = False, filtered: bool = False) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "runner.cli", *args]
    if namespace:
        command = ["unshare", "--user", "--map-root-user", "sh", "-c", FORBIDDEN, *command]
    if filtered:
        command = [*FILTERED, *command]
    env = {**os.environ, "HOME": str(project), "XDG_CACHE_HOME": ""}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False)


def recorded(project: Path) -> list[str]:
    files = sorted((project / "runs" / "open_it").glob("*/result.json"))
    return [json.loads(file.read_text())["environment"]["sandbox"] for file in files]


def can_nest() -> bool:
    return subprocess.run(["unshare", "--user", "--map-root-user", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.thorough
@needs("browser")
@pytest.mark.skipif(not can_nest(), reason="this kernel lets nobody create user namespaces")
def test_where_the_kernel_forbids_it_journeys_run_without_it_and_say_so(project: Path) -> None:
    first, second = (journey(project, "run", "--base-url", "http://x.example", namespace=True) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert recorded(project) == [f"off: {sandbox.KERNEL}"] * 2
    assert first.stdout.count(f"note: the browser's sandbox is off: {sandbox.KERNEL}") == 1
    # The second knows before it has started a browser.
    assert second.stdout.startswith(f"note: the browser's sandbox is off: {sandbox.KERNEL}")
    assert f"sandbox: off: {sandbox.KERNEL}" in journey(project, "install", namespace=True).stdout


@pytest.mark.thorough
@needs("browser")
@pytest.mark.skipif(not can_nest(), reason="this kernel lets nobody create user namespaces")
def test_where_a_filter_forbids_what_the_sandbox_needs_it_is_off_and_journeys_run(project: Path) -> None:
    assert f"sandbox: off: {sandbox.KERNEL}" in journey(project, "install", filtered=True).stdout
    ran = journey(project, "run", "--base-url", "http://x.example", filtered=True)
    assert (ran.returncode, recorded(project)) == (0, [f"off: {sandbox.KERNEL}"]), ran.stdout


@needs("browser")
def test_a_chromium_that_ends_otherwise_says_nothing_about_its_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n")
    program.chmod(0o755)
    said = sandbox.check_sandbox(program)
    assert said == "not known: Chromium ended with 127: error while loading shared libraries"
    # Nothing is remembered, so the next start tries it with its sandbox.
    assert sandbox.find_reason_off(program) == ""


@pytest.mark.thorough
@needs("browser")
@pytest.mark.skipif(os.geteuid() != 0, reason="to be root, a user would need a password")
def test_as_root_journeys_run_without_it_and_say_so(project: Path) -> None:
    ran = journey(project, "run", "--base-url", "http://x.example")
    assert (ran.returncode, recorded(project)) == (0, [f"off: {sandbox.ROOT}"])
    assert ran.stdout.startswith(f"note: the browser's sandbox is off: {sandbox.ROOT}")
    assert f"sandbox: off: {sandbox.ROOT}" in journey(project, "install").stdout


def test_a_refusal_is_forgotten_when_the_program_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sandbox, "_refused", set())
    program = tmp_path / "chromium"
    program.write_text("one")
    assert sandbox.describe_sandbox(program) == "on"
    sandbox.remember_refusal(program)
    assert sandbox.describe_sandbox(program) == f"off: {sandbox.KERNEL}"
    sandbox._refused.clear()
    assert sandbox.describe_sandbox(program) == f"off: {sandbox.KERNEL}"
    # Its setuid helper was installed.
    (tmp_path / "chrome-sandbox").touch()
    assert sandbox.describe_sandbox(program) == "on"


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sandbox, "_refused", set())
    sandbox.remember_refusal(tmp_path / "chromium")
    assert sandbox.find_reason_off(tmp_path / "chromium") == sandbox.KERNEL
