"""Whether the same journeys have the same latencies, whoever runs them: `journey run`, pytest, pytest in two processes, headed.

The demo's four journeys are run by each command alternately, so that the noise of the machine meets all alike; nothing is recorded.
A cell is the median latency of a step, and the median of its ratios to the same step of the same round under `journey run`; of the
headed ones to `journey run --headed`, as that is another browser: with a window Chromium draws each frame, and the headless shell
does not. The headed ones run in an Xvfb that this
program starts; without Xvfb or a Chromium with a window they are left out.
Run: `python -m benchmarks.agreement [--rounds N]`; the table is in docs/pytest.md.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.browser.chromium import find
from runner.demo import journeys_folder, running_shop
from runner.errors import BrowserNotFound
from runner.settings.artifact_kinds import ARTIFACT_KINDS

QUIET = {f"JOURNEY_{kind.upper()}": "off" for kind in ARTIFACT_KINDS}
REFERENCE, HEADED = "journey run", "journey run --headed"


@contextmanager
def screen() -> Iterator[str | None]:
    """A virtual screen's name, such as `:99`; None where there is no Xvfb, or no Chromium to show on it."""
    try:
        find(headed=True)
    except BrowserNotFound:
        yield None
        return
    if shutil.which("Xvfb") is None:
        yield None
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as printed:
            yield f":{printed.readline().strip()}"
    finally:
        process.terminate()
        process.wait(10)


def commands(folder: Path, shop: str, headed: bool) -> dict[str, list[str]]:
    """What is compared; each writes its runs to `runs.json`."""
    journeys, output = str(folder / "journeys"), str(folder / "runs.json")
    run = [sys.executable, "-m", "runner.cli", "run", journeys, "--base-url", shop, "--json", output]
    pytest = [sys.executable, "-m", "pytest", "-q", journeys, f"--base-url={shop}", f"--journey-json={output}"]
    found = {REFERENCE: run, "pytest": pytest, "pytest -n 2": [*pytest, "-n", "2"]}
    return {**found, HEADED: [*run, "--headed"], "pytest --headed": [*pytest, "--headed"]} if headed else found


def latencies(command: list[str], folder: Path, display: str | None) -> dict[tuple[str, str], float]:
    """Runs the command; the latency of each step. Raises SystemExit when a journey does not pass."""
    budgets = ["--journey-budgets=off"] if "pytest" in command else []
    environment = {**os.environ, **QUIET, **({"DISPLAY": display} if display else {})}
    ended = subprocess.run([*command, *budgets], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    runs = json.loads((folder / "runs.json").read_text())["runs"] if ended.returncode in {0, 4} else []
    if len(runs) != 4 or any(run["status"] != "passed" for run in runs):
        raise SystemExit(f"{' '.join(command)}: {ended.stdout}{ended.stderr}")
    return {(run["journey"], step["name"]): step["latency_seconds"] for run in runs for step in run["steps"]}


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    found: dict[str, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as name, running_shop() as shop, screen() as display:
        folder = Path(name)
        shutil.copytree(journeys_folder(), folder / "journeys", ignore=shutil.ignore_patterns("__pycache__"))
        for number in range(rounds + 1):
            for mode, command in commands(folder, shop, display is not None).items():
                measured = latencies(command, folder, display)
                if number:  # the first round warms the disk's cache
                    for step, latency in measured.items():
                        found[mode][step].append(latency)
    for steps in found.values():
        steps["all", "steps together"] = [sum(one) for one in zip(*steps.values(), strict=True)]
    print("| journey | step |", " | ".join(found), "|")
    print("| --- | --- |", " | ".join("--:" for _ in found), "|")
    for step in found[REFERENCE]:
        cells = []
        for mode, steps in found.items():
            reference = found[HEADED if "--headed" in mode else REFERENCE][step]
            ratio = statistics.median(own / other for own, other in zip(steps[step], reference, strict=True))
            cells.append(
                f"{statistics.median(steps[step]):.3f}" + ("" if mode in {REFERENCE, HEADED} else f" (**{ratio:.2f}**)")
            )
        print(f"| {step[0]} | {step[1]} |", " | ".join(cells), "|")
    print(f"\nMedians of {rounds} rounds, in seconds; load average {os.getloadavg()[2]:.0f} on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
