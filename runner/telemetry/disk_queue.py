"""A bounded queue on the disk: what is to be sent survives restarts, and the oldest goes first when there is no room."""

import os
from collections.abc import Iterator
from pathlib import Path

from runner.private_files import make_private_folder, write_private_file

ENDING = ".json"
LOOK_AFTER = 50
"""Items after which the folder is measured again: other processes add to it too, and looking at thousands of files takes long."""


class DiskQueue:
    """Items are files of a folder, in the order of their keys; several processes may add to it."""

    def __init__(self, folder: Path, most: int) -> None:
        """`most`: the bytes that all items together may take."""
        self.folder = folder
        self._most = most
        self._at_most = 0
        """What all items together take, as far as this process knows; what was sent meanwhile is still in it."""
        self._unseen = LOOK_AFTER
        """Items since the folder was measured."""

    def put(self, key: str, content: bytes) -> int:
        """Adds an item; returns how many old ones were dropped for it. Raises OSError when it cannot be written."""
        make_private_folder(self.folder)
        file = self.folder / f"{key}{ENDING}"
        written = file.with_suffix(f".{os.getpid()}")
        write_private_file(written, content)
        written.replace(file)
        self._at_most += len(content)
        self._unseen += 1
        if self._at_most <= self._most and self._unseen < LOOK_AFTER:
            return 0
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
        self._at_most, self._unseen = total, 0
        return dropped
