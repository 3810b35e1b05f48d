"""From a journey's name to a Python identifier for its function and its file."""

from keyword import iskeyword

TAKEN = {"page", "context", "browser", "step", "request", "params", "secrets", "expect", "journey", "re"}
"""Names that a journey's file uses for something else."""


def to_python_name(name: str) -> str:
    """A Python identifier for the name of a journey.

    >>> to_python_name("buy-tea"), to_python_name("2nd"), to_python_name("class")
    ('buy_tea', 'journey_2nd', 'journey_class')
    """
    plain = "".join(one if one.isalnum() else "_" for one in name)
    return f"journey_{plain}" if not plain.isidentifier() or iskeyword(plain) or plain in TAKEN else plain
