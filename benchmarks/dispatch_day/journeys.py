"""The journeys of the day, and what they and their workers note about themselves beside all that is judged."""

from pathlib import Path

LOCATIONS = ("frankfurt", "oregon", "office")
HEAD = '''
import os, time
from runner import expect, journey
def walked(name):
    """Notes that a journey was walked here, in one write."""
    with open({witness!r}, "a") as out:
        out.write(f"{{name}} {{os.environ['JOURNEY_LOCATION']}} {{time.time()}}\\n")
'''
QUICK = """
@journey(every="{every}")
def quick_{number}(step):
    with step("think"):
        time.sleep({seconds})
        walked("quick_{number}")
"""
BROKEN = """
@journey(every="{every}")
def broken_{number}(step):
    with step("look"):
        walked("broken_{number}")
        assert int(time.time() / {phase}) % 2, "the site is down"
"""
SHOP = """
@journey(every="{every}", screenshots="on", console="on")
def shop_{number}(page, step):
    with step("open"):
        page.goto("/")
        walked("shop_{number}")
"""
WORKER = """
import json, time
from runner.dispatch.worker import executor, program
def note(**what):
    with open({file!r}, "a") as out:
        out.write(json.dumps({{"worker": {name!r}, "at": time.time(), **what}}) + "\\n")
make_run, run_task = executor.RunExecutor.make_run, program.WorkerProgram._run_task
def noted_run(self, plan, slot, *more):
    note(run=slot.run)
    return make_run(self, plan, slot, *more)
def noted_task(self, task, content):
    note(order=content)
    return run_task(self, task, content)
executor.RunExecutor.make_run, program.WorkerProgram._run_task = noted_run, noted_task
"""
"""Run in a worker before it: notes each order that it gets, and each run that it begins."""


def write_journeys(count: int, every: str, witness: Path) -> str:
    """The file with all of them: some sleep, some fail for a while and recover, some open pages of the shop and keep artifacts."""
    parts = [HEAD.format(witness=str(witness))]
    for number in range(count):
        if number % 10 == 0:
            parts.append(SHOP.format(number=number, every=every))
        elif number % 10 == 5:
            parts.append(BROKEN.format(number=number, every=every, phase=60 + number))
        else:
            # One in eight or so is under way long enough to be killed in the middle.
            parts.append(QUICK.format(number=number, every=every, seconds=3.0 if number % 10 == 7 else 0.1))
    return "".join(parts)
