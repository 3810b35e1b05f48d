"""`python -m runner.cli` is the `journey` command."""

from runner.cli import main

main()
