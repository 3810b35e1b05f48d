"""Why a sign-in through the identity provider does not succeed."""

from runner.errors import JourneyError


class OidcError(JourneyError):
    """A sign-in that fails. Its text is for the user; `cause`, for whoever runs the dashboard, names the setting and the fix."""

    def __init__(self, text: str, cause: str = "", status: int = 502) -> None:
        super().__init__(text)
        self.cause = cause
        self.status = status
        """Of the response."""
