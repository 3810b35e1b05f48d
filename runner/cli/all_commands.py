"""The application with all of its commands, for programs that read it; the command itself imports only what it runs."""

from runner.cli.application import make_app

app = make_app()
