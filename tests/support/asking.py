"""Asks a store one question, as a page asks all of its questions: over a snapshot."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from runner.store import Store

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def ask(
    store: Store, question: Callable[Concatenate[Connection, Given], Answer], *given: Given.args, **more: Given.kwargs
) -> Answer:
    """What a query answers."""
    with store.snapshot() as connection:
        return question(connection, *given, **more)
