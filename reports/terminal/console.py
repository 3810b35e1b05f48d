"""The console that commands print to: nothing that a page, a site or a visitor has written is obeyed by the terminal."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from runner.untrusted_text import printable


class SafeConsole(Console):
    """Removes control characters from every text; the colours and the movements of its own stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Console.render."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def note(self, text: str) -> None:
        """Prints what users should know."""
        self.print(f"note: {text}", markup=False, soft_wrap=True)

    def warn(self, problem: str) -> None:
        """Prints what did not work."""
        self.print(f"warning: {problem}", style="yellow", markup=False, soft_wrap=True)


def make_console(stderr: bool = False, **options: Any) -> SafeConsole:
    """A console on standard output or standard error; `options` are rich's."""
    stream = sys.stderr if stderr else sys.stdout
    # Where the stream removes control characters itself, the console's own are written past it.
    return SafeConsole(file=getattr(stream, "unfiltered", None), stderr=stderr, **options)
