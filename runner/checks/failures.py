"""Why a call did not succeed: in one sentence, and whether the site or the monitor is at fault."""

import errno
import linecache
import socket
import ssl
from pathlib import Path

from runner.checks.time_limit import CheckTimeout
from runner.errors import JourneyError
from runner.result import Failure, FailureKind
from runner.untrusted_text import bounded, tamed

LONGEST_QUOTE = 200
"""Characters of what a server has said that are repeated in a message."""
_OWN_ERRORS = {
    errno.ENETUNREACH, errno.ENETDOWN, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EACCES,
    errno.EPERM, errno.EAFNOSUPPORT,
}  # fmt: skip
"""What concerns this machine's own network or resources, not the site."""


class CallFailed(AssertionError):
    """A call did not succeed, or its answer is not as expected."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind


def quote(text: str | bytes) -> str:
    """What a server has said, to be repeated in a message: as one bounded line without control characters.

    >>> quote(b"220 mail\\r\\n\\x1b[31m")
    "'220 mail [31m'"
    """
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    plain = "".join(one if one.isprintable() else " " for one in bounded(words, LONGEST_QUOTE))
    return repr(tamed(" ".join(plain.split())))


def explain_network(error: OSError, peer: str, phase: str, proxied: bool = False) -> CallFailed:
    """The failure that an error of the network means; `peer` is the host with its port. A proxy that fails is the monitor's."""
    kind, message = _explain(error, peer, phase)
    if proxied and phase in {"resolve", "connect"}:
        return CallFailed("monitor", f"the proxy cannot be reached: {message}")
    return CallFailed(kind, message)


def _explain(error: OSError, peer: str, phase: str) -> tuple[FailureKind, str]:
    host = peer.rpartition(":")[0] or peer
    match error:
        case socket.gaierror():
            if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
                return "navigation", f"the name {host} does not exist, or has no address"
            return "monitor", f"this machine cannot resolve names: its resolver gave no answer for {host} ({error.strerror})"
        case ssl.SSLCertVerificationError():
            return "navigation", f"the certificate of {peer} is not valid: {error.verify_message}"
        case ssl.SSLError():
            return "navigation", f"no encrypted connection to {peer}: {error.reason or error.strerror or error}"
        case TimeoutError() if error.errno in {None, errno.ETIMEDOUT}:
            return "timeout", f"{peer} did not answer in time{f' ({phase})' if phase else ''}"
        case ConnectionRefusedError():
            return "navigation", f"{peer} refused the connection"
        case ConnectionError():
            return "navigation", f"{peer} closed the connection ({phase})"
    if error.errno in _OWN_ERRORS:
        return "monitor", f"this machine cannot reach {peer}: {error.strerror}"
    return "navigation", f"{peer} cannot be reached: {error.strerror or error}"


def explain_error(error: BaseException, file: str, seconds: float) -> Failure:
    """Why a check in `file` stopped, whose timeout is `seconds`."""
    line = _find_line(error, file)
    kind, message = _judge(error, seconds)
    return Failure(
        kind=kind,
        message=tamed(message),
        file=file if line else None,
        line=line,
        code=linecache.getline(file, line).strip() or None if line else None,
    )


def _judge(error: BaseException, seconds: float) -> tuple[FailureKind, str]:
    text = str(error)
    match error:
        case CallFailed():
            return error.kind, text
        case CheckTimeout():
            return "deadline", f"the check's own code was still running when its timeout of {seconds:g} s expired"
        case AssertionError():
            return "assertion", text or "an assertion failed"
        case JourneyError():
            return "journey", text
        case SystemExit():
            return (
                "journey",
                f"sys.exit({error.code if error.code is not None else ''}) ended the check before its end; write `return`",
            )
    return "journey", f"{type(error).__name__}: {text}" if text else type(error).__name__


def _find_line(error: BaseException, file: str) -> int | None:
    """The innermost line of `file` on the way to the error."""
    found, traceback = None, error.__traceback__
    while traceback is not None:
        if Path(traceback.tb_frame.f_code.co_filename) == Path(file):
            found = traceback.tb_lineno
        traceback = traceback.tb_next
    return found
