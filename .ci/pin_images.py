"""Pins the images of other projects by their digests: in the Containerfile, the compose file, and the workflow for CI.

`python .ci/pin_images.py` asks each registry what the tags name now, and writes it behind them; with `--check` it writes nothing and exits
with 1 if something would change. `--mirror HOST` asks that registry instead, such as a cache of your own; a local one by http.
"""

import argparse
import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]
FILES = (
    "docs/deploy/Containerfile",
    "docs/deploy/Containerfile.broker",
    "docs/deploy/compose.yaml",
    ".github/workflows/checks.yml",
)
IMAGE = re.compile(
    r"(?<![\w./-])(?P<host>[\w.-]+\.[a-z]+|localhost)(?P<port>:\d+)?/(?P<name>[a-z0-9._/-]+):(?P<tag>[\w.-]*\w)(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
    r"(?=\s|$|\")"
)
"""An image with its registry; those that are built here, under localhost, are nobody else's."""
HOSTS = {"docker.io": "registry-1.docker.io"}
LISTS = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
"""The lists of an image's platforms, whose digest is right on each of them."""
WITHIN = 60.0
"""Seconds for one answer."""


def find_digest(host: str, name: str, tag: str, mirror: str = "") -> str:
    """The digest of what a tag names now, computed from what the registry sends. Raises OSError."""
    server = mirror or HOSTS.get(host, host)
    scheme = "http" if re.match(r"(?:localhost|127\.0\.0\.1)(?::|$)", server) else "https"
    address = f"{scheme}://{server}/v2/{name}/manifests/{tag}"
    headers = {
        "Accept": f"{LISTS}, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    }
    try:
        body = _get(address, headers)
    except HTTPError as error:
        if error.code != 401:
            raise
        body = _get(address, headers | {"Authorization": f"Bearer {_read_token(error.headers.get('WWW-Authenticate') or '')}"})
    return f"sha256:{sha256(body).hexdigest()}"


def _read_token(challenge: str) -> str:
    """The token for reading that a registry gives to anybody (distribution, token authentication)."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = asked.pop("realm", "")
    if not challenge.lower().startswith("bearer ") or not realm:
        raise OSError(f"the registry demands an authentication that is not known here: {challenge!r}")
    return str(json.loads(_get(f"{realm}?{urlencode(asked)}", {}))["token"])


def _get(address: str, headers: dict[str, str]) -> bytes:
    with urlopen(Request(address, headers=headers), timeout=WITHIN) as answer:  # noqa: S310 (http or https, see above)
        return bytes(answer.read())


def pin(text: str, mirror: str = "") -> tuple[str, list[str]]:
    """`text` with the newest digest behind each image, and what has changed in words. Raises OSError."""
    changes = []

    def with_digest(found: re.Match[str]) -> str:
        host, name, tag, before = found["host"] + (found["port"] or ""), found["name"], found["tag"], found["digest"]
        if host.startswith("localhost"):
            return found[0]
        digest = find_digest(host, name, tag, mirror)
        if digest != before:
            changes.append(f"{host}/{name}:{tag} is now {digest}" + (f", was {before}" if before else ""))
        return f"{host}/{name}:{tag}@{digest}"

    return IMAGE.sub(with_digest, text), changes


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--mirror", default="", metavar="HOST")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the clone")
    given = parser.parse_args()
    changed = False
    for file in FILES:
        path = given.root / file
        try:
            text, changes = pin(path.read_text(encoding="utf-8"), given.mirror)
        except (OSError, ValueError, KeyError) as error:
            print(f"error: {file}: {error}", file=sys.stderr)
            return 2
        for one in changes:
            print(f"{file}: {one}")
        changed = changed or bool(changes)
        if changes and not given.check:
            path.write_text(text, encoding="utf-8")
    return 1 if changed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
