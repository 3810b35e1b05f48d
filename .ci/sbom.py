"""The bill of materials of a release, in CycloneDX 1.6: what is bundled, and what is installed with it, each with its hashes.

`python .ci/sbom.py VERSION WHEEL OUTPUT`
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from bundled import ROOT, list_bundled

CONSTRAINTS = ROOT / ".ci" / "constraints" / "runtime.txt"


def list_installed() -> list[tuple[str, str, list[str]]]:
    """The Python packages of the constraints: name, version, SHA-256 of their files."""
    text = CONSTRAINTS.read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.findall(r"^([\w.-]+)==([^\s;]+)(.*)$", text, re.MULTILINE)
    return [(name, version, re.findall(r"sha256:([0-9a-f]{64})", rest)) for name, version, rest in found]


def build_document(version: str, wheel: Path) -> dict[str, Any]:
    """The document for one release."""
    own = {"type": "application", "bom-ref": "journey-runner", "name": "journey-runner", "version": version}
    own |= {"purl": f"pkg:pypi/journey-runner@{version}", "licenses": [{"license": {"id": "Apache-2.0"}}]}
    own |= {"hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]}
    components: list[dict[str, Any]] = []
    for package in list_bundled():
        algorithm, _, digest = package.integrity.partition("-")
        name = package.name.replace("@", "%40")
        components.append(
            {
                "type": "library",
                "bom-ref": f"pkg:npm/{name}@{package.version}",
                "name": package.name,
                "version": package.version,
                "purl": f"pkg:npm/{name}@{package.version}",
                "scope": "required",
                "licenses": [{"license": {"id": package.licence}}],
                "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}],
            }
        )
    for name, pinned, digests in list_installed():
        purl = f"pkg:pypi/{name}@{pinned}"
        files = [{"type": "distribution", "url": purl, "hashes": [{"alg": "SHA-256", "content": one}]} for one in digests]
        components.append(
            {"type": "library", "bom-ref": purl, "name": name, "version": pinned, "purl": purl, "externalReferences": files}
        )
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own, "lifecycles": [{"phase": "build"}]},
        "components": components,
        "dependencies": [{"ref": "journey-runner", "dependsOn": [one["bom-ref"] for one in components]}],
    }


if __name__ == "__main__":
    given, built, output = sys.argv[1:]
    Path(output).write_text(json.dumps(build_document(given, Path(built)), indent=1) + "\n", encoding="utf-8")
