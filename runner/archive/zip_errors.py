"""What Python's zipfile raises for a file that is not a ZIP, or is damaged outside or inside: more than `BadZipFile`."""

import zlib
from zipfile import BadZipFile

ZIP_ERRORS = (
    OSError,
    BadZipFile,
    zlib.error,
    EOFError,  # a part ends early
    KeyError,  # a part is missing
    NotImplementedError,  # a compression that is unknown
    RuntimeError,  # encrypted
    UnicodeDecodeError,  # a name
)
