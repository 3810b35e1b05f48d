"""What is bundled of other projects: their packages in the lock files of npm, and the texts of their licences.

`python .ci/bundled.py` writes THIRD-PARTY-LICENSES.txt; it needs the packages, which a build has installed.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PROJECTS = ("runner/page/agent", "reports/web/frontend", "reports/codegen/frontend")
FILE = ROOT / "THIRD-PARTY-LICENSES.txt"
RRWEB = """MIT License

Copyright (c) 2018 Contributors (https://github.com/rrweb-io/rrweb/graphs/contributors) and SmartX Inc.

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
"""The licence of rrweb's repository, which its packages leave out."""


class Package(NamedTuple):
    """A package of npm that is part of a bundle."""

    name: str
    version: str
    licence: str
    integrity: str
    folder: Path


def list_bundled() -> list[Package]:
    """Those that a bundle may contain: not what only builds it, and not types, which no bundle has. Each once."""
    found: dict[tuple[str, str], Package] = {}
    for project in PROJECTS:
        lock: dict[str, Any] = json.loads((ROOT / project / "package-lock.json").read_text())
        for place, one in lock["packages"].items():
            name = place.rpartition("node_modules/")[2]
            if name and not one.get("dev") and not name.startswith("@types/"):
                package = Package(name, one["version"], one["license"], one["integrity"], ROOT / project / place)
                found.setdefault((name, one["version"]), package)
    return [found[key] for key in sorted(found)]


def _read_licence(package: Package) -> str:
    # Some have a second file, for what they contain of others.
    files = [one for one in sorted(package.folder.iterdir()) if one.name.upper().startswith("LICENSE")]
    if files:
        return "\n".join(one.read_text(encoding="utf-8") for one in files)
    if "rrweb" in package.name or package.name == "rrdom":
        return RRWEB
    raise SystemExit(f"{package.name} {package.version} has no file with its licence; look it up and add it to {__file__}")


def write_licences() -> None:
    """Writes the file."""
    parts = ["The scripts for pages and for the dashboard contain parts of these packages. Each is followed by its licence.\n"]
    parts += [
        f"{'=' * 100}\n{one.name} {one.version} ({one.licence})\n{'=' * 100}\n\n{_read_licence(one).strip()}\n"
        for one in list_bundled()
    ]
    FILE.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    write_licences()
