"""Signatures of bundles, with a key that the scheduler and its workers share.

A bundle holds code that a worker runs, and passes through a storage that others may write to, so no worker uses one without a signature.
"""

import hmac
import re
from hashlib import sha256

import msgspec
from msgspec import Struct

from runner.bundles.manifest import FORMAT
from runner.errors import BundleError
from runner.settings.secrets import Secret
from runner.untrusted_text import decode_strictly


class Seal(Struct, frozen=True, kw_only=True):
    """The signature of a bundle. It covers the size, so that nothing larger is ever decompressed."""

    version: int
    digest: str
    bytes: int
    """Of the archive before compression."""
    signature: str


_decoder = msgspec.json.Decoder(Seal)


def sign(purpose: str, content: bytes, key: Secret) -> str:
    """The signature of some content (HMAC-SHA256); one for another purpose is not valid for this one."""
    return hmac.new(key.reveal().encode(), f"journey-runner {purpose} {FORMAT}\n".encode() + content, sha256).hexdigest()


def is_signed(purpose: str, content: bytes, signature: str, key: Secret) -> bool:
    """Whether a signature is of this content, purpose and key."""
    return hmac.compare_digest(sign(purpose, content, key).encode(), signature.encode("utf-8", "replace"))


def key_name(key: Secret) -> str:
    """A name of the key, from which it cannot be found out: each key has seals of its own, so keys can be changed."""
    return sign("key name", b"", key)[:16]


def seal_bundle(digest: str, size: int, key: Secret) -> bytes:
    """The seal of a bundle as JSON."""
    seal = Seal(version=FORMAT, digest=digest, bytes=size, signature=sign("bundle", _sealed(digest, size), key))
    return msgspec.json.encode(seal)


def check_seal(content: bytes, digest: str, key: Secret) -> Seal:
    """The seal of the bundle with this digest. Raises BundleError when it is not signed with this key, or is of another bundle."""
    try:
        seal = decode_strictly(content, _decoder)
    except msgspec.DecodeError as error:
        raise BundleError(f"bundle {short(digest)}: its signature cannot be read: {error}; upload the bundle again") from error
    if seal.version != FORMAT:
        raise BundleError(
            f"bundle {short(digest)} has format {seal.version}, and this version reads {FORMAT}; "
            "use the same version of this program for the scheduler and its workers"
        )
    if seal.digest != digest or not is_signed("bundle", _sealed(digest, seal.bytes), seal.signature, key):
        raise BundleError(
            f"bundle {short(digest)}: its signature is not valid; set the same bundle_key where it is made and where it is used"
        )
    return seal


def check_digest(digest: str) -> str:
    """The digest itself. Raises BundleError for a text that is not one, as it becomes part of paths."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise BundleError(f"{digest[:80]!r} is not the digest of a bundle; it has 64 hexadecimal digits")
    return digest


def short(digest: str) -> str:
    """The beginning of a digest, which is enough to tell it from others."""
    return digest[:12]


def _sealed(digest: str, size: int) -> bytes:
    return f"{digest} {size}".encode()
