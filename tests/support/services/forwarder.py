"""Forwards connections to another port of this machine, as a program: `python -m tests.support.services.forwarder PORT TARGET [ADDRESS]`.

It is what a test kills where the server behind it would forget everything: connections break in the middle, and what was written stays.
"""

import asyncio
import sys
from contextlib import suppress


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on what comes until the other side ends."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def forward(port: int, target: int, address: str = "127.0.0.1") -> None:
    """Forwards from one port to the other until it is killed."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", target)
        except ConnectionError:
            writer.close()
            return
        await asyncio.gather(copy(reader, back), copy(there, writer))

    server = await asyncio.start_server(connect, address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(forward(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
