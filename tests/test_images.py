"""Images of other projects are named by their digests, and one command renews them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.support.services.http_server import serving_handler
from tests.test_supply import load

ROOT = Path(__file__).parents[1]
FILES = (
    "docs/deploy/Containerfile",
    "docs/deploy/Containerfile.broker",
    "docs/deploy/compose.yaml",
    ".github/workflows/checks.yml",
)
PINNED = re.compile(r"[\w.-]+\.[a-z]+/[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")


class Registry(BaseHTTPRequestHandler):
    """A registry of images that gives a token to anybody, as those on the internet do."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name = parts.path.removeprefix("/v2/").partition("/manifests/")
        if parts.path == "/token":
            self._send(200, json.dumps({"token": parse_qs(parts.query)["scope"][0]}).encode())
        elif self.headers["authorization"] != f"Bearer repository:{name[0]}:pull":
            realm = f"http://{self.headers['host']}/token"
            self._send(401, b"{}", f'Bearer realm="{realm}",service="registry",scope="repository:{name[0]}:pull"')
        elif name[2] == "9":
            self._send(404, b"{}")
        else:
            # The list of platforms, and not the image of one of them.
            assert "manifest.list" in self.headers["accept"]
            self._send(200, described(name[0], name[2]))

    def _send(self, status: int, body: bytes, challenge: str = "") -> None:
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def described(name: str, tag: str) -> bytes:
    """What the registry has of an image."""
    return json.dumps({"manifests": [name, tag]}).encode()


def digest(name: str, tag: str) -> str:
    return f"sha256:{sha256(described(name, tag)).hexdigest()}"


@pytest.fixture
def registry() -> Iterator[str]:
    with serving_handler(Registry) as address:
        yield address.removeprefix("http://")


def copied(folder: Path) -> Path:
    """The files in which images are named."""
    for file in FILES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text((ROOT / file).read_text())
    return folder


def test_every_image_of_others_is_named_by_its_digest() -> None:
    base = re.findall(r"^ARG BASE=(.*)$", (ROOT / FILES[0]).read_text(), re.MULTILINE)
    services = yaml.safe_load((ROOT / FILES[2]).read_text())["services"].values()
    job = yaml.safe_load((ROOT / FILES[3]).read_text())["jobs"]["test"]
    named = [*base, *(one["image"] for one in services if "image" in one), *job["strategy"]["matrix"]["image"]]
    assert job["container"] == "${{ matrix.image }}"
    assert len(named) == 7
    assert [one for one in named if not PINNED.fullmatch(one)] == []
    # What pyproject.toml says is supported is tested.
    assert [re.findall(r"python:([\d.]+)", one) for one in named[-2:]] == [["3.11"], ["3.13"]]


def test_the_newest_digests_are_written_behind_the_tags(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pin_images = load("pin_images", monkeypatch)
    root = copied(tmp_path)

    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["pin_images.py", "--mirror", registry, "--root", str(root), *words])
        code: int = pin_images.main()
        return code

    before = {file: (root / file).read_text() for file in FILES}
    assert run("--check") == 1
    assert {file: (root / file).read_text() for file in FILES} == before
    assert run() == 0
    assert "docker.io/prom/prometheus:v3.5.0 is now " + digest("prom/prometheus", "v3.5.0") in capsys.readouterr().out
    for file in FILES:
        pinned = (root / file).read_text()
        # Nothing else is changed.
        assert re.sub("sha256:[0-9a-f]{64}", "", pinned) == re.sub("sha256:[0-9a-f]{64}", "", before[file])
        for name, tag, found in re.findall(r"docker\.io/([\w./-]+):([\w.-]+)@(sha256:[0-9a-f]{64})", pinned):
            assert found == digest(name, tag)
    assert run("--check") == 0
    (root / FILES[2]).write_text("image: docker.io/library/postgres:9\n")
    assert run() == 2
    assert "docs/deploy/compose.yaml: HTTP Error 404" in capsys.readouterr().err
    assert (root / FILES[2]).read_text() == "image: docker.io/library/postgres:9\n"


@pytest.mark.parametrize(
    ("written", "pinned"),
    [
        ("image: docker.io/prom/x:v1", "image: docker.io/prom/x:v1@{}"),
        ('- "quay.io/prom/x:v1"', '- "quay.io/prom/x:v1@{}"'),
        ("FROM registry.example:5000/prom/x:v1 AS build", "FROM registry.example:5000/prom/x:v1@{} AS build"),
        ("podman build -t localhost/journey .", "podman build -t localhost/journey ."),
        ("- ./x.sql:/entry.d/x.sql:ro", "- ./x.sql:/entry.d/x.sql:ro"),
        ("# what docs.example/prom/x:v1. names", "# what docs.example/prom/x:v1. names"),
    ],
)
def test_images_are_recognized_wherever_they_are_named(
    registry: str, monkeypatch: pytest.MonkeyPatch, written: str, pinned: str
) -> None:
    pin_images = load("pin_images", monkeypatch)
    assert pin_images.pin(written, registry)[0] == pinned.format(digest("prom/x", "v1"))


@pytest.mark.thorough
def test_renewals_are_proposed_for_every_image_and_every_lock_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.renovate", ".github/renovate.json"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    renovate = json.loads((ROOT / ".github" / "renovate.json").read_text())
    (matrix,) = renovate["customManagers"]
    pattern = matrix["matchStrings"][0].replace("(?<", "(?P<")
    found = [one["currentValue"] for one in re.finditer(pattern, (ROOT / FILES[3]).read_text())]
    assert found == ["3.11-bookworm", "3.13-bookworm"]
    assert {"dockerfile", "docker-compose", "github-actions", "npm"} <= set(renovate["enabledManagers"])
    assert renovate["osvVulnerabilityAlerts"] is True
