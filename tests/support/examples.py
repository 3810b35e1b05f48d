"""Examples of property tests without the constants of all modules that are loaded."""

import pytest
from hypothesis.internal.conjecture import providers


def pytest_configure(config: pytest.Config) -> None:
    """Has `make quick` read no module for constants that examples could contain: that takes each process longer than its properties.

    Hypothesis has no setting for it. `make test` and `make thorough` read them.
    """
    if config.getoption("--hypothesis-profile") == "quick":
        # Fails where a later Hypothesis has no such function.
        assert callable(providers._get_local_constants)
        providers._get_local_constants = lambda: providers._local_constants
