"""The `journey` command: one thin module per command; the work is done elsewhere."""

import gc
import os
import signal
import sys
from collections.abc import Callable

from runner.cli.streams import output_failure, prepare_streams
from runner.errors import JourneyError
from runner.workers.process import start_early

LOST_OUTPUT = 3
INTERRUPTED = 130
WALKING = {"run", "smoke"}
"""Commands that need a worker at once: it starts while the command line and the settings are read."""


def main() -> None:
    """The entry point. A JourneyError is shown as one message and becomes its exit code; so does output that was lost."""
    # What is imported stays until the end: looking for garbage in it would cost each command a third of its start.
    gc.disable()
    prepare_streams()
    elsewhere = any(word.partition("=")[0] == "--remote" for word in sys.argv)
    if sys.argv[1:2] and sys.argv[1] in WALKING and not elsewhere and not {"-h", "--help"} & set(sys.argv):
        start_early()
    try:
        _main()
    except SystemExit as ended:
        problem = output_failure()
        if problem is None or ended.code:
            raise
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(LOST_OUTPUT)
    except KeyboardInterrupt:
        # While the command was being loaded: nothing had begun that could report it.
        sys.exit(INTERRUPTED)
    finally:
        # Nor is it taken apart: the process ends with it.
        gc.freeze()


def _main() -> None:
    # `kill` ends a run in as orderly a way as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not os.environ.get("GITHUB_ACTIONS"):
        _run()
        return
    from reports.formats import github_actions

    with github_actions.stop_commands(sys.stderr):
        _run(lambda message: github_actions.report_error(message, os.environ, sys.stderr))


def _run(tell: Callable[[str], None] | None = None) -> None:
    from runner.cli.application import COMMANDS, make_app

    try:
        # The first word decides; without one that is known, all commands are listed, or the nearest is proposed.
        only = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] in COMMANDS else None
        app = make_app(only)
        gc.freeze()
        gc.enable()
        app(prog_name="journey")
    except JourneyError as error:
        print(f"error: {error}", file=sys.stderr)
        if tell is not None:
            tell(str(error))
        sys.exit(error.exit_code)
    finally:
        if "--install-completion" in sys.argv[1:]:
            from runner.cli.shell import fix_zsh_completion

            fix_zsh_completion()
