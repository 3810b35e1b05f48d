"""A check that is run in the process of the test, against servers of the test."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

import runner.checks.protocols.dns
import runner.checks.protocols.http  # noqa: F401 (before the time of the first check begins)
from runner.checks.run import CheckRun, execute_check
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.execution.outcome import Execution
from runner.settings.load_settings import load_settings
from runner.settings.secrets import Secrets
from tests.runner.checks.servers import http_server, name_server
from tests.support.certificates import OwnCertificate, make_certificate


class RunCheck(Protocol):
    """Runs the only check of a source; `options` are settings."""

    def __call__(self, source: str, **options: object) -> Execution:
        """What it has shown."""


@pytest.fixture
def run_check(tmp_path: Path) -> RunCheck:
    def run(source: str, **options: object) -> Execution:
        file = tmp_path / "checks.py"
        text = f"import re\nfrom runner import check\n{textwrap.dedent(source)}"
        file.write_text(text)
        (declared,) = load_journeys(file, text)
        planned = plan(declared, load_settings(tmp_path, options, {}))
        secrets = Secrets(folder=planned.secrets_dir, file=planned.secrets_file)
        return execute_check(CheckRun(run="run", plan=planned, check=declared, secrets=secrets))

    return run


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of an HTTP server."""
    with http_server() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> OwnCertificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    """A name server, as host and port."""
    with name_server() as port:
        yield f"127.0.0.1:{port}"
