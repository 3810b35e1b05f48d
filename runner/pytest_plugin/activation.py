"""Registers what runs, judges and redacts, once there is something to run."""

import pytest

from runner.pytest_plugin.session import PROJECT


def activate(config: pytest.Config) -> None:
    """To be called when a journey is collected, or a test asks for `step` or `secrets`; only the first call has an effect.

    Raises ConfigError when the settings or the secrets cannot be read.
    """
    project = config.stash[PROJECT]
    if project.active:
        return
    _ = project.secrets
    # Here and not above: these import Playwright, which a session without journeys must not wait for.
    from runner.pytest_plugin import runtest_hooks
    from runner.pytest_plugin.redact_artifacts import start_redaction
    from runner.pytest_plugin.reporting import report, xdist_transport

    for part in (runtest_hooks, report, xdist_transport):
        config.pluginmanager.register(part, part.__name__)
    config.add_cleanup(start_redaction(project))
    project.active = True
