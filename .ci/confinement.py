"""Checks that Chromium's renderers in a running container are confined: by their own sandbox, and by the container.

`python3 .ci/confinement.py CONTAINER` waits for the first renderer, looks at it from outside, in /proc, and prints what confines it.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 90.0
"""Seconds."""


def find_processes(first: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(file.parent.name)] = int(file.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found = [first]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def read_status(process: int) -> dict[str, str]:
    """What the kernel says of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: text.strip() for name, _, text in (line.partition(":") for line in lines)}


def find_faults(process: int) -> list[str]:
    """In what a renderer is not confined."""
    status = read_status(process)
    user, own = (Path(f"/proc/{one}/ns/user").readlink() for one in (process, "self"))
    checks = {
        "it runs as root": status["Uid"].split()[0] != "0",
        "it has capabilities": int(status["CapEff"], 16) == 0,
        "it may gain privileges": status["NoNewPrivs"] == "1",
        "no filter of system calls is on": status["Seccomp"] == "2",
        # That of the container, and Chromium's own.
        "Chromium's own filter of system calls is not on": int(status.get("Seccomp_filters", "2")) >= 2,
        "it is in the user namespace of the machine": user != own,
        "it is not in a process namespace of its own": len(status["NSpid"].split()) >= 3,
    }
    return [fault for fault, passed in checks.items() if not passed]


def main(container: str) -> int:
    """The exit code."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(0.05)
        inspected = subprocess.run(
            ["podman", "inspect", "--format", "{{.State.Pid}}", container], capture_output=True, text=True
        )
        if inspected.returncode or not int(inspected.stdout):
            continue
        for process in find_processes(int(inspected.stdout)):
            try:
                line = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if "--type=renderer" not in line:
                    continue
                faults = find_faults(process)
            except OSError:
                # It has ended meanwhile.
                continue
            if re.search(r"--(?:no-sandbox|disable-seccomp-filter-sandbox|disable-namespace-sandbox)\b", line):
                faults.append(f"it was started without its sandbox: {line}")
            for fault in faults:
                print(f"error: a renderer is not confined: {fault}", file=sys.stderr)
            if not faults:
                print("a renderer: not root, no capabilities, own namespaces, filters of the container and of Chromium")
            return 1 if faults else 0
    print(f"error: no renderer of Chromium ran in {container} within {PATIENCE:g} s", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
