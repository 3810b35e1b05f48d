"""A plan as it travels beside a bundle: its files by their paths in the bundle, and nothing in it that may be secret.

What a journey's options say about headers, accounts, proxies, certificates, cookies and files is read again where the run is made, from
the journey's own file in the bundle, with the environment and the files of that machine.
"""

import os
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from runner.bundles.make_bundle import Bundle
from runner.bundles.signature import short
from runner.dsl.context_plan import ContextPlan
from runner.dsl.plan import Plan, state_file
from runner.errors import BundleError, ConfigError
from runner.settings.settings import Settings


class PackedPlan(Struct, frozen=True):
    """A plan without secrets, and the digest of the bundle that has its files."""

    bundle: str
    plan: Plan
    """Its file is relative to the bundle."""


def pack_plan(plan: Plan, bundle: Bundle) -> PackedPlan:
    """The plan as it may be sent. Raises BundleError when the bundle does not have its file, or has another version of it, and
    ConfigError for an address with a password."""
    if not plan.file.is_relative_to(bundle.folder):
        raise BundleError(f"{plan.file}: is outside of {bundle.folder}, of which the bundle is made; move it there")
    path = plan.file.relative_to(bundle.folder).as_posix()
    found = bundle.manifest.find(path)
    if found is None:
        raise BundleError(f"{plan.file}: is not in the bundle {short(bundle.digest)}; make the bundle again")
    if plan.source is not None and sha256(plan.source.encode()).hexdigest() != found.sha256:
        raise BundleError(
            f"{plan.file}: has changed between the plan and the bundle {short(bundle.digest)}; both are made again at the next change"
        )
    return PackedPlan(bundle.digest, replace(strip_plan(plan), file=Path(path), bundle=bundle.digest, source=None))


def strip_plan(plan: Plan) -> Plan:
    """The plan without what may be secret: the worker reads that from the journey's own file, with its own secrets.

    Raises ConfigError for an address with a password.
    """
    if plan.base_url and urlsplit(plan.base_url).password is not None:
        raise ConfigError(
            f"{plan.file}: base_url of {plan.journey} contains a password, which must not travel; remove it, and use basic_auth"
        )
    return replace(
        plan,
        reads_options=True,
        headers={},
        basic_auth=None,
        context=ContextPlan(),
        ca_file=None,
        storage_state=None,
        # Its name alone, which says for which site it is.
        state_file=Path(plan.state_file.name) if plan.state_file is not None else None,
        secrets_dir=None,
        secrets_file=None,
        update_pictures=False,
    )


def unpack_plan(packed: PackedPlan, folder: Path, settings: Settings) -> Plan:
    """The plan as it is run from the files of its bundle in `folder`, with what the settings of this machine say about secrets.

    Raises BundleError for a plan that names files outside of the bundle.
    """
    plan = packed.plan
    file = _find_inside(plan.file, folder, packed.bundle)
    if not file.is_file():
        raise BundleError(
            f"bundle {short(packed.bundle)}: has no file {plan.file}, which its plan names; make the bundle again"
        )
    _find_inside(plan.file.parent / plan.picture_folder, folder, packed.bundle)
    return replace(
        plan,
        file=file,
        bundle=packed.bundle,
        reads_options=True,
        source=None,
        headers={},
        basic_auth=None,
        context=ContextPlan(),
        ca_file=settings.ca_file,
        storage_state=None,
        state_file=state_file(settings.runs_dir.absolute(), plan.signed_in_by, plan.state_file) if plan.signed_in_by else None,
        secrets_dir=settings.secrets_dir,
        secrets_file=settings.secrets_file,
        # What either side hides is hidden: what a run saves leaves this machine.
        redaction=plan.redaction or settings.redaction,
        redact=tuple(dict.fromkeys((*plan.redact, *settings.redact))),
        update_pictures=False,
    )


def _find_inside(path: Path, folder: Path, digest: str) -> Path:
    """The path in the bundle's folder. Links that lead to local files are not followed: nothing is run from there."""
    found = Path(os.path.normpath(folder.absolute() / path))
    if path.is_absolute() or not found.is_relative_to(folder.absolute()) or found == folder.absolute():
        raise BundleError(f"bundle {short(digest)}: its plan names {str(path)[:200]!r}, which is outside of it; it is not run")
    return found
