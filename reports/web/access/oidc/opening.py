"""The sign-in through the provider that the settings name; without its packages where they name none."""

from typing import TYPE_CHECKING

from reports.web.access.attempt_counts import UsedOnce
from reports.web.access.oidc.configuration import read_oidc_configuration
from runner.errors import ConfigError
from runner.installation import install_command
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from reports.web.access.oidc.sign_in import OidcSignIn


def open_oidc(settings: Settings, used: UsedOnce) -> "OidcSignIn | None":
    """None if no provider is configured; `used` knows what has been used already.

    Raises ConfigError for settings that lack something, and for missing packages."""
    configuration = read_oidc_configuration(settings)
    if configuration is None:
        return None
    try:
        from reports.web.access.oidc.sign_in import OidcSignIn
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"oidc_issuer: {error.name} is missing; install it with: {install_command('serve', 'oidc')}"
        ) from error
    return OidcSignIn(configuration, used)
