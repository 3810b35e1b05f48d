"""Why a database cannot be used, in one line, with what to do about it."""

import re

from sqlalchemy.exc import DBAPIError

_RIGHTS = "give the user in JOURNEY_DATABASE the rights to read and write its tables, as docs/deploy/database.sql does"
_FIXES: tuple[tuple[frozenset[str], str, str], ...] = (
    # The codes of the standard as PostgreSQL uses them; what is said where there is no such code, as while connecting; what to do.
    (
        frozenset({"28P01"}),
        r"password authentication failed|no password supplied",
        "put the password that the server knows into JOURNEY_DATABASE, and start again",
    ),
    (
        frozenset({"28000"}),
        r"no pg_hba\.conf entry|role \".*\" does not exist|is not permitted to log in",
        "check the user in JOURNEY_DATABASE, and who may connect in the server's pg_hba.conf",
    ),
    (frozenset({"3D000"}), r"database \".*\" does not exist", "create it, or correct its name in JOURNEY_DATABASE"),
    (
        frozenset({"53300"}),
        r"too many clients|too many connections|connection slots are reserved|remaining connection slots",
        "raise max_connections of the server, or the limit of this user and database",
    ),
    (frozenset({"53100"}), r"No space left on device|disk is full", "make room on the disk of the database"),
    (
        frozenset({"25006"}),
        r"read-only transaction|session is read-only|session is not read-write|server is in hot standby|read-write mode during recovery",
        "name in JOURNEY_DATABASE the server that can be written; with replicas, all of them: "
        "postgresql://USER@HOST1,HOST2/NAME?target_session_attrs=read-write",
    ),
    (frozenset({"42501"}), r"permission denied", _RIGHTS),
    (
        frozenset({"57014"}),
        r"has not answered for|statement timeout",
        "look for what holds the server up: its load, its disk, locks in pg_locks",
    ),
    (
        frozenset(),
        r"certificate verify failed|root certificate file|server certificate for|server does not support SSL",
        "let JOURNEY_DATABASE name the server as its certificate does, and end with ?sslmode=verify-full&sslrootcert=FILE, the certificate of "
        "its authority",
    ),
    (frozenset({"57P03"}), r"starting up|shutting down|recovery mode|not yet accepting|not accepting", "wait until it is up"),
    (
        frozenset(),
        r"Connection refused|could not translate|Name or service not known|failed to resolve|timeout expired|No route to host",
        "check that the server runs and can be reached, and its address in JOURNEY_DATABASE",
    ),
    (frozenset(), r"readonly database", "let this user write the file, and the folder that it is in"),
)


def describe_failure(error: BaseException, rights: str = _RIGHTS) -> str:
    """The reason, and after a semicolon what to do, where that is known; `rights` is what to do where the user has too few."""
    original = (error.orig or error) if isinstance(error, DBAPIError) else error
    reason = _read_reason(original)
    code = getattr(original, "sqlstate", None)
    for codes, said, fix in _FIXES:
        if code in codes or re.search(said, reason):
            return f"{reason}; {rights if fix == _RIGHTS else fix}"
    return reason


def _read_reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # One for each host, where there are several; the first line then only says that there were.
    hosts = [line.removeprefix("- ") for line in lines if line.startswith("- host:")]
    return "; ".join(hosts) or lines[0]


def is_rejection(error: BaseException) -> bool:
    """Whether the database rejects a value, which it will always do; False where it is in a state that can change.

    PostgreSQL uses the same class of errors for statements that it cannot run because rights, tables or columns are missing.
    """
    code = getattr(error, "sqlstate", None)
    return not (isinstance(code, str) and code.startswith(("42", "3F", "3D")))
