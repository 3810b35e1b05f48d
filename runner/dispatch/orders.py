"""From a plan to the order that is sent, and back at the worker. Secrets never travel: each worker has its own."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

import runner
from runner.dispatch.messages import RunOrder, write_message
from runner.dsl.plan import Plan
from runner.errors import ConfigError
from runner.settings.secrets import Secrets, find_missing
from runner.settings.settings import Settings
from runner.workers.run_state import Slot

SHORTEST_GUARDED = 6
"""Characters; a shorter secret occurs in what is no secret."""


class SecretTravels(ConfigError):
    """A plan that holds the value of a secret."""


class OrderWriter:
    """Writes the orders of a scheduler. Raises ConfigError when its own secrets cannot be read."""

    def __init__(self, settings: Settings, sender: str) -> None:
        self._settings = settings
        self._sender = sender
        self._texts = tuple(
            text
            for text in Secrets(folder=settings.secrets_dir, file=settings.secrets_file).texts()
            if len(text) >= SHORTEST_GUARDED
        )

    def write(self, plan: Plan, slot: Slot) -> str:
        """The order of a run. Raises SecretTravels for a plan with the value of a secret in it."""
        order = RunOrder(
            run=slot.run,
            plan=strip_plan(plan),
            slot_at=slot.at,
            due_at=slot.due,
            begin_by=slot.due + timedelta(seconds=self._settings.max_delay),
            sent_at=datetime.now(UTC),
            version=runner.__version__,
        )
        content = write_message(order, self._sender).decode()
        # A header or a parameter may hold one that was written there, and not taken by its name.
        if any(text in content for text in self._texts):
            raise SecretTravels(
                f"{plan.journey} cannot be sent to {plan.location}: an option or a parameter of it holds the value of a secret; "
                "read it in the journey, with secrets[…]"
            )
        return content


def strip_plan(plan: Plan) -> Plan:
    """The plan without the scheduler's places of secrets. Raises SecretTravels where an option was given a secret's value."""
    held = [
        name
        for name, value in (
            ("basic_auth", plan.basic_auth),
            ("proxy", plan.context.proxy and plan.context.proxy["password"]),
            ("client_certificates", any("passphrase" in one for one in plan.context.client_certificates)),
            ("cookies", plan.context.hidden and plan.context.cookies),
        )
        if value
    ]
    if held:
        raise SecretTravels(
            f"{plan.journey} cannot be sent to {plan.location}: option {held[0]} holds a secret, and secrets stay where they are; "
            'read it in the journey, with secrets[…], or run it with dispatch = "local"'
        )
    return replace(plan, secrets_dir=None, secrets_file=None)


def fill_plan(plan: Plan, settings: Settings) -> Plan:
    """The plan as this worker makes it: with its own places of secrets and files. Raises ConfigError that names secrets it lacks."""
    secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file)
    lacking = find_missing(plan.secret_names, secrets)
    if lacking:
        raise ConfigError(
            "\n".join(
                f"location {settings.location} has no secret {name!r}, which {plan.journey} needs; {secrets.where(name)}"
                for name in lacking
            )
        )
    state = settings.runs_dir / ".state" / plan.state_file.name if plan.state_file else None
    return replace(plan, secrets_dir=settings.secrets_dir, secrets_file=settings.secrets_file, state_file=state)
