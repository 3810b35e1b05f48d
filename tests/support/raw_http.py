"""Requests as bytes, also such as no client would send, and what a server answers to them."""

import asyncio
import random
import re
from collections.abc import Callable

ORIGIN = "https://shop.example"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
PATIENCE = 40.0
"""Seconds for an answer."""
Make = Callable[[random.Random], bytes]
"""Makes a message; it is the same for the same dice."""


def head(path: str = "/v1/views", method: str = "POST", **headers: str) -> bytes:
    """The head of a request; a header is left out by an empty text."""
    given = {"host": "x", "origin": ORIGIN, "user-agent": CHROME, "connection": "close", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in given.items() if text)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogateescape")


def post(body: bytes, path: str = "/v1/views", **headers: str) -> bytes:
    """A whole request."""
    return head(path, content_length=str(len(body)), **headers) + body


def word(dice: random.Random, length: int = 12) -> str:
    """Letters."""
    return "".join(dice.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(length))


async def send_message(port: int, message: bytes, leaves: bool = False) -> str:
    """The status that is answered, or what happened instead; who `leaves` says that nothing more will come."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        return type(error).__name__
    try:
        writer.write(message)
        if leaves:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(300), PATIENCE)
        found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
        return found[1].decode() if found else "closed"
    except (ConnectionError, TimeoutError) as error:
        return type(error).__name__
    finally:
        writer.transport.abort()
