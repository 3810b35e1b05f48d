"""Why something that is right in itself is not done at the moment."""

from runner.errors import JourneyError


class RequestRefused(JourneyError):
    """A request that is not taken, with its HTTP status and the title of the problem."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.title = title
