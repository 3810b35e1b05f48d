"""A wire to a server that can be cut or frozen."""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class Wire:
    """Listens on a port of its own and passes on what comes, both ways, to a port of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: dict[socket.socket, socket.socket] = {}
        self._frozen = self._cut = self._stopping = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def freeze(self) -> None:
        """Passes nothing on and says nothing of it."""
        self._frozen = True

    def cut(self) -> None:
        """Closes all connections and takes no more."""
        self._cut = True

    def mend(self) -> None:
        """Works again."""
        self._frozen = self._cut = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping = True
        self._thread.join()
        self._drop()
        self._listener.close()

    def _drop(self) -> None:
        for end in self._ends:
            end.close()
        self._ends.clear()

    def _work(self) -> None:
        while not self._stopping:
            if self._cut:
                self._drop()
            with selectors.DefaultSelector() as ready:
                for one in () if self._frozen else (self._listener, *self._ends):
                    ready.register(one, selectors.EVENT_READ)
                events = ready.select(0.02)
            for key, _ in events:
                self._pass(key.fileobj)

    def _pass(self, source: object) -> None:
        if source is self._listener:
            near, _ = self._listener.accept()
            if self._cut:
                near.close()
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends |= {near: far, far: near}
        elif isinstance(source, socket.socket) and source in self._ends:
            other = self._ends[source]
            try:
                data = source.recv(65536)
                if data:
                    other.sendall(data)
                    return
            except OSError:
                pass
            for end in (source, other):
                self._ends.pop(end, None)
                end.close()
