"""Maps that are uploaded piece by piece: a request must be whole within seconds, and a map may be large."""

import re
import time
from hashlib import sha256

from reports.source_maps.map_store import MapAbout, MapRejected, MapStore, unpack
from runner.private_files import make_private_folder, write_private_file

PIECE = 1_048_576
"""Bytes of a piece."""
PIECES = 40
"""Pieces of a map, compressed with gzip."""
INCOMING = 500_000_000
"""Bytes of all pieces of maps that are not whole yet."""
ABANDONED = 3600.0
"""Seconds after which a piece whose others never came is removed."""
_NAME = re.compile(r"([0-9a-f]{64})-(\d{1,2})\Z")


class MapUploads:
    """The pieces that have arrived, in a folder beside the maps; each is named by the checksum of its map and its number."""

    def __init__(self, maps: MapStore) -> None:
        self._maps = maps
        self._folder = maps.folder / ".incoming"

    def add(self, about: MapAbout, checksum: str, piece: int, pieces: int, body: bytes, who: str) -> bool | None:
        """Takes a piece, numbered from 0. When the last one has come, whether the map is new; None before that.

        Raises MapRejected for a map that is not kept, and for pieces that do not make the map with this checksum.
        """
        if not _NAME.match(f"{checksum}-{piece}") or not piece < pieces <= PIECES:
            raise MapRejected(f"a map has at most {PIECES} pieces, and a checksum of 64 hexadecimal digits")
        if not 0 < len(body) <= PIECE:
            raise MapRejected(f"a piece has 1 to {PIECE} bytes")
        if pieces == 1:
            return self._keep(about, checksum, body, who)
        self._write(f"{checksum}-{piece}", body)
        files = [self._folder / f"{checksum}-{number}" for number in range(pieces)]
        if not all(one.is_file() for one in files):
            return None
        packed = b"".join(one.read_bytes() for one in files)
        for one in files:
            one.unlink(missing_ok=True)
        return self._keep(about, checksum, packed, who)

    def _keep(self, about: MapAbout, checksum: str, packed: bytes, who: str) -> bool:
        content = unpack(packed)
        if sha256(content).hexdigest() != checksum:
            raise MapRejected("its pieces do not make the map with this checksum; upload it again")
        return self._maps.put(about, content, who, time.time())

    def _write(self, name: str, body: bytes) -> None:
        make_private_folder(self._folder)
        now, taken = time.time(), 0
        for one in self._folder.iterdir():
            found = one.stat()
            if now - found.st_mtime > ABANDONED:
                one.unlink(missing_ok=True)
            else:
                taken += found.st_size
        if taken + len(body) > INCOMING:
            raise MapRejected(f"the uploads that are under way have {taken:,} bytes; try again when they are complete")
        incoming = self._folder / f".{name}"
        write_private_file(incoming, body)
        incoming.replace(self._folder / name)


def split(packed: bytes) -> list[bytes]:
    """The pieces of a map that is compressed."""
    return [packed[start : start + PIECE] for start in range(0, len(packed), PIECE)]
