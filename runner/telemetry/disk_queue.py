"""A bounded queue on the disk: what is to be sent survives restarts, and the oldest goes first when there is no room."""

import os
from collections.abc import Iterator
from pathlib import Path

from runner.private_files import make_private_folder, write_private_file

ENDING = ".json"


class DiskQueue:
    """Items are files of a folder, in the order of their keys; several processes may add to it."""

    def __init__(self, folder: Path, most: int) -> None:
        """`most`: the bytes that all items together may take."""
        self.folder = folder
        self._most = most

    def put(self, key: str, content: bytes) -> int:
        """Adds an item; returns how many old ones were dropped for it. Raises OSError when it cannot be written."""
        make_private_folder(self.folder)
        file = self.folder / f"{key}{ENDING}"
        written = file.with_suffix(f".{os.getpid()}")
        write_private_file(written, content)
        written.replace(file)
        return self._make_room()

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Each item that was there at the beginning, oldest first; another process may have removed some meanwhile."""
        for file in self._files():
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                continue
            yield file.name.removesuffix(ENDING), content

    def remove(self, key: str) -> None:
        """Removes an item that was sent."""
        (self.folder / f"{key}{ENDING}").unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._files())

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{ENDING}"))

    def _make_room(self) -> int:
        sizes = []
        for file in self._files():
            try:
                sizes.append((file, file.stat().st_size))
            except FileNotFoundError:
                continue
        total, dropped = sum(size for _, size in sizes), 0
        for file, size in sizes:
            if total <= self._most:
                break
            file.unlink(missing_ok=True)
            total -= size
            dropped += 1
        return dropped
