"""Every error a user can meet. A message says what was wrong, where, and what to do."""


class JourneyError(Exception):
    """Base of all errors of this package; `exit_code` is what `journey` ends with when one reaches the top."""

    exit_code = 2


class ConfigError(JourneyError):
    """A setting, option or value is not valid. Names the file or variable, the key and the fix."""


class DiscoveryError(JourneyError):
    """A journey cannot be loaded: import error, bad option, two of one name. Names file and line."""


class SecretMissing(JourneyError):
    """A secret that a journey asks for is not set. Names where it was looked for."""


class RunNotFound(JourneyError):
    """No saved run matches what was asked for."""


class BrowserNotFound(JourneyError):
    """No Chromium on this machine. Says how to get one."""

    exit_code = 3


class BrowserFailed(JourneyError):
    """A Chromium was found and could not be started."""

    exit_code = 3


class MailboxError(JourneyError):
    """The mail server of a journey does not answer or refuses. Names the host, its answer and the setting."""

    exit_code = 3


class RecordingError(JourneyError):
    """The output of Playwright's recorder, or a visitor's session, cannot become a journey. Says what is wrong with it."""

    exit_code = 3


class PushError(JourneyError):
    """The Pushgateway did not take a push. Names the address and the answer."""

    exit_code = 3


class StorageDown(JourneyError):
    """The object storage for artifacts does not do what it was asked for. Names the setting, the address and the fix."""

    exit_code = 3


class BundleError(JourneyError):
    """A bundle of journeys cannot be used: changed, signed with another key, or made for another version. Names the bundle and the fix."""

    exit_code = 3
