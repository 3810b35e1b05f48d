"""The bill of materials of an image, in CycloneDX 1.6, run by the Python inside of it: Debian's and Python's packages with licences and hashes.

`podman run --rm -i --entrypoint python IMAGE - < .ci/image_contents.py`
"""

import hashlib
import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

DOCUMENTS = Path("/usr/share/doc")
LICENCE_LINE = re.compile(r"^License:[ \t]*([\w.+-]+(?: (?:or|and|with) [\w.+ -]+)?)[ \t]*$", re.MULTILINE)
"""The short name, as Debian's machine-readable form has it; some files put the text there."""


def list_debian() -> list[dict[str, Any]]:
    """The installed packages of the system. Their licences are those that the machine-readable part of `copyright` names."""
    os_release = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    release = dict(line.rstrip().split("=", 1) for line in os_release if "=" in line)
    found = []
    for entry in Path("/var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", entry, re.MULTILINE))
        if not fields.get("Status", "").endswith(" installed"):
            continue
        name, version, arch = fields["Package"], fields["Version"], fields["Architecture"]
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={arch}&distro={release['VERSION_CODENAME']}"
        one: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        file = DOCUMENTS / name / "copyright"
        if file.is_file():
            text = file.read_bytes()
            named = sorted(set(LICENCE_LINE.findall(text.decode("utf-8", "replace"))))
            one["licenses"] = [{"license": {"name": licence}} for licence in named or [f"see {file}"]]
            one["properties"] = [{"name": "copyright:sha256", "value": hashlib.sha256(text).hexdigest()}]
        found.append(one)
    return found


def list_python() -> list[dict[str, Any]]:
    """The installed distributions of Python, with the SHA-256 of their RECORD, which has that of each of their files."""
    found = []
    for package in importlib.metadata.distributions():
        name, version = package.metadata["Name"], package.version
        purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
        one: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        classifiers = [
            text.rpartition(" :: ")[2] for text in package.metadata.get_all("Classifier") or () if "License ::" in text
        ]
        licence = (
            package.metadata.get("License-Expression") or next(iter(classifiers), "") or package.metadata.get("License") or ""
        )
        if licence:
            one["licenses"] = [{"license": {"name": licence.strip().splitlines()[0][:100]}}]
        record = package.read_text("RECORD")
        if record:
            one["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(record.encode()).hexdigest()}]
        found.append(one)
    return found


if __name__ == "__main__":
    unique = {one["bom-ref"]: one for one in (*list_debian(), *list_python())}
    own = {"type": "container", "bom-ref": "image", "name": "journey"}
    json.dump(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": own, "lifecycles": [{"phase": "post-build"}]},
            "components": list(unique.values()),
            "dependencies": [{"ref": "image", "dependsOn": list(unique)}],
        },
        sys.stdout,
        indent=1,
    )
