"""The project whose journeys a pytest session runs: settings, secrets, folders; each is read on first use."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from runner.browser.authorities import trust_authorities
from runner.browser.chromium import find, list_arguments
from runner.errors import BrowserNotFound, ConfigError
from runner.redaction import NOTHING, Redactor
from runner.settings.config_file import has_config_file
from runner.settings.load_settings import load_settings, parse_params
from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.secrets import Secrets
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from runner.browser.deadline import Deadline

DEFAULT = "journeys"


class PytestProject:
    """One for each pytest session and each of its processes; `usable` is False where pytest-playwright is missing."""

    def __init__(self, config: pytest.Config, usable: bool) -> None:
        self._config = config
        self.usable = usable
        self.active = False
        """True once a journey was collected, or a test has requested `step` or `secrets`."""
        self.observed_item: pytest.Item | None = None
        """The journey, or test with steps, that is being set up, run or torn down."""
        self.deadline: Deadline | None = None
        """The deadline of the running journey."""

    @property
    def _start(self) -> Path:
        """Where to look for the settings: the folder in which pytest was started if it is below its root, else the root."""
        root, here = self._config.rootpath, self._config.invocation_params.dir
        return here if here.is_relative_to(root) else root

    def has_journeys(self) -> bool:
        """Whether there is a configuration file, or a folder with the default name."""
        return has_config_file(self._start) or any(
            (folder / DEFAULT).is_dir() for folder in {self._start, self._config.rootpath}
        )

    @cached_property
    def settings(self) -> Settings:
        """The settings, read as `journey run` reads them. Raises ConfigError."""
        params = parse_params(self._config.getoption("journey_param"), "--journey-param")
        return load_settings(self._start, {"params": params or None}, os.environ, self._config.getoption("journey_env"))

    def settings_at(self, base_url: str | None) -> Settings:
        """The settings with the value of pytest's fixture `base_url`.

        It counts as an option of the command line, unless it comes from pytest's own configuration file: that is used only when
        nothing else sets a base URL. Raises ConfigError when it is not an address.
        """
        if not base_url:
            return self.settings
        in_file = not self._config.getoption("base_url") and base_url == self._config.getini("base_url")
        if in_file and self.settings.base_url is not None:
            return self.settings
        try:
            origins = self.settings.origins if in_file else {**self.settings.origins, "base_url": "option"}
            return replace(self.settings, base_url=parse_url(base_url), origins=origins)
        except ValueError as error:
            raise ConfigError(f"--base-url: {error}") from error

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """The folders and files that hold journeys."""
        root = self._config.rootpath / DEFAULT
        try:
            given = self.settings.journeys
        except ConfigError:  # reported at the start of the session where it matters
            return (root,)
        usual = (root,) if self.settings.origin("journeys") == "default" else ()
        return tuple(Path(os.path.normpath(folder.absolute())) for folder in (*given, *usual))

    def contains(self, path: Path) -> bool:
        """Whether `path` is a file that may hold journeys, judged by its path alone."""
        for folder in self.folders:
            if path == folder:
                return True
            if path.is_relative_to(folder):
                names = path.relative_to(folder).parts
                return path.suffix == ".py" and path.name != "conftest.py" and not any(name[0] in "_." for name in names)
        return False

    @cached_property
    def redactor(self) -> Redactor:
        """Hides the secrets of this session; it knows those of the settings once `secrets` was read."""
        return Redactor(patterns=self.settings.redact) if self.settings.redaction else NOTHING

    sandbox = ""
    """The state of the browser's sandbox, as in `Environment.sandbox`, once a browser was started."""

    @cached_property
    def secrets(self) -> Secrets:
        """All secrets, hidden from now on. Raises ConfigError when a folder or file of them cannot be read."""
        settings, redactor = self.settings, self.redactor
        secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file, on_made=redactor.hide)
        for text in secrets.texts():
            redactor.hide(text)
        return secrets

    def redacts(self, item: pytest.Item | None) -> bool:
        """Whether what this test writes is redacted: always for a journey or a test with steps, else once secrets are known."""
        return self.active and (bool(self.redactor.secrets) or (item is not None and item is self.observed_item))

    @property
    def is_debugged(self) -> bool:
        """Whether the tests run in a debugger: no timeout is enforced then."""
        return bool(os.environ.get("PWDEBUG") or self._config.getoption("playwright_debug", None))

    def records(self, *options: str) -> bool:
        """Whether one of these options of pytest-playwright is on: `tracing video screenshot`."""
        return any(self._config.getoption(option) != "off" for option in options)

    def launch_args(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the settings `http2` and `ca_file` add to the arguments of pytest-playwright. Raises BrowserFailed, as `trust_authorities`."""
        try:
            http2, ca_file = self.settings.http2, self.settings.ca_file
        except ConfigError:
            return {}
        arguments = list_arguments(http2)
        added: dict[str, Any] = {"args": [*given.get("args", ()), *arguments]} if arguments else {}
        if ca_file is not None:
            added["env"] = trust_authorities(ca_file, given.get("env") or dict(os.environ))
        return added

    def chromium(self, headed: bool) -> Path | None:
        """The Chromium to use where Playwright has not installed one; None where it has, or where none is found.

        Raises BrowserNotFound for a setting `browser_path` that does not name a program.
        """
        try:
            given = self.settings.browser_path
        except ConfigError:
            given = None
        try:
            found = find(given, headed)
        except BrowserNotFound:
            if given is not None:
                raise
            return None
        return None if found.found == "installed by Playwright" else found.path

    @cached_property
    def states(self) -> Path:
        """A temporary folder of this session for signed-in states, which only its owner can read."""
        folder = Path(mkdtemp(prefix="journey-states-"))
        self._config.add_cleanup(lambda: rmtree(folder, ignore_errors=True))
        return folder
