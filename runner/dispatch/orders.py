"""From a plan to the order that is sent, and back at the worker. Secrets never travel: each worker has its own."""

import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from runner.archive.object_storage import open_storage
from runner.dispatch.messages import RunOrder, write_message
from runner.dsl.plan import Plan, state_file
from runner.errors import ConfigError, StorageDown
from runner.result import Trigger
from runner.settings.secrets import Secrets, find_missing
from runner.settings.settings import Settings
from runner.version import __version__
from runner.workers.run_state import Slot

if TYPE_CHECKING:
    from runner.bundles.make_bundle import Bundle

FOLLOWED: frozenset[Trigger] = frozenset({"demand", "smoke"})
"""Why a run is made that somebody waits for."""
PAUSE = 1.0
"""Seconds between two tries to reach the storage."""
SHORTEST_GUARDED = 6
"""Characters; a shorter secret occurs in other text too."""


class OrderWriter:
    """Writes the orders of a scheduler; `bundle` is the one that has its journeys, None where workers read the same folder.

    Raises ConfigError when its own secrets cannot be read.
    """

    def __init__(self, settings: Settings, sender: str, bundle: "Callable[[], Bundle | None]" = lambda: None) -> None:
        self._settings = settings
        self._sender = sender
        self._bundle = bundle
        secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file)
        self._texts = tuple(text for text in secrets.texts() if len(text) >= SHORTEST_GUARDED)

    def write(self, plan: Plan, slot: Slot) -> str:
        """The order of a run. Raises ConfigError for a plan with the value of a secret in it, and BundleError for one that is not in the
        bundle."""
        bundle = self._bundle()
        from runner.bundles.packed_plan import pack_plan, strip_plan

        packed = strip_plan(plan) if bundle is None else pack_plan(plan, bundle).plan
        order = RunOrder(
            run=slot.run,
            plan=packed,
            slot_at=slot.at,
            trigger=slot.trigger,
            due_at=slot.due,
            begin_by=slot.due + timedelta(seconds=self._settings.max_delay),
            sent_at=datetime.now(UTC),
            version=__version__,
            bundle=bundle.digest if bundle is not None else "",
            followed=slot.trigger in FOLLOWED,
        )
        content = write_message(order, self._sender, self._settings.bundle_key).decode()
        # A parameter or an address may hold one that was written there, and not taken by its name.
        if any(text in content for text in self._texts):
            raise ConfigError(
                f"{plan.journey} cannot be sent to {plan.location}: a parameter or an option of it holds the value of a secret; "
                "read it in the journey, with secrets[…]"
            )
        return content


def fill_plan_in_time(
    order: RunOrder, settings: Settings, until: ExitStack, is_late: Callable[[], bool], is_leaving: Callable[[], bool]
) -> tuple[Plan, tuple[str, ...]]:
    """As `fill_plan`; a storage that does not answer is waited for while the run may still begin.

    Raises CancelledError when the worker leaves meanwhile: another one may reach the storage.
    """
    while True:
        try:
            return fill_plan(order, settings, until)
        except StorageDown:
            if is_leaving():
                raise CancelledError from None
            if is_late():
                raise
        time.sleep(PAUSE)


def fill_plan(order: RunOrder, settings: Settings, until: ExitStack) -> tuple[Plan, tuple[str, ...]]:
    """The plan as this worker makes it, and what the run is to say; a bundle that it uses stays until `until` is closed.

    Raises ConfigError that names the secrets that are missing here, BundleError for a bundle that cannot be used, and StorageDown.
    """
    plan, notes = order.plan, ()
    secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file)
    lacking = find_missing(plan.secret_names, secrets)
    if lacking:
        lines = (f"secret {name!r} is not set at {settings.location}; {secrets.where(name)}" for name in lacking)
        raise ConfigError("\n".join(lines))
    if order.bundle:
        return _unpack(order, settings, until)
    if not plan.file.is_file():
        raise ConfigError(
            f"{plan.file}: does not exist here; set bundle_key_file and artifacts, so that journeys travel in bundles, or give workers "
            "the scheduler's folder at the same path"
        )
    state = state_file(settings.runs_dir.absolute(), plan.signed_in_by, plan.state_file) if plan.signed_in_by else None
    own = {"secrets_dir": settings.secrets_dir, "secrets_file": settings.secrets_file, "ca_file": settings.ca_file}
    redact = tuple(dict.fromkeys((*plan.redact, *settings.redact)))
    return replace(plan, **own, state_file=state, redaction=plan.redaction or settings.redaction, redact=redact), notes


def _unpack(order: RunOrder, settings: Settings, until: ExitStack) -> tuple[Plan, tuple[str, ...]]:
    from runner.bundles.bundle_cache import open_cache
    from runner.bundles.open_bundle import open_bundle
    from runner.bundles.packed_plan import PackedPlan, unpack_plan

    if settings.bundle_key is None:
        raise ConfigError(
            "bundle_key is not set here, and the journeys travel in signed bundles; set bundle_key_file to the scheduler's key"
        )
    storage = open_storage(settings)
    if storage is None:
        raise ConfigError("artifacts is not set here, and bundles are fetched from there; set it to the scheduler's")
    opened = until.enter_context(open_bundle(storage, order.bundle, settings.bundle_key, open_cache(settings)))
    return unpack_plan(PackedPlan(order.bundle, order.plan), opened.folder, settings), opened.notes
