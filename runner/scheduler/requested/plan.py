"""A requested run as a plan: that of its journey, with what was asked for in place of what the settings say."""

from msgspec.structs import replace

from runner.dsl.plan import Plan, state_file_for_site
from runner.settings.parsers.addresses.base_urls import is_allowed_base_url
from runner.store.scheduling.requested_runs import WaitingRun


def plan_requested_run(plan: Plan, wanted: WaitingRun) -> Plan:
    """The plan of a requested run, from that of its journey."""
    base_url = wanted.base_url or plan.base_url
    state_file = plan.state_file
    if state_file is not None and base_url != plan.base_url:
        state_file = state_file_for_site(state_file, base_url or "")
    return replace(
        plan,
        base_url=base_url,
        state_file=state_file,
        location=wanted.location,
        params={**plan.params, **wanted.params},
        release=wanted.release or plan.release,
        # A smoke check counts what did not pass at once, as it does on the machine that it is called on.
        retries=0 if wanted.reason == "smoke" else plan.retries,
    )


def find_refusal(plan: Plan | None, wanted: WaitingRun, allowed: tuple[str, ...], browsers: int) -> str:
    """Why this scheduler, which has so many workers with a browser, cannot make a run; empty if it can."""
    if plan is None:
        return f"the scheduler of the location {wanted.location} has no journey named {wanted.journey}"
    if plan.kind == "journey" and not browsers:
        return "this scheduler was started for checks only, and has no browser: restart it"
    if wanted.base_url and wanted.base_url != plan.base_url and not is_allowed_base_url(wanted.base_url, allowed):
        return f"the scheduler's remote_base_urls do not allow {wanted.base_url}"
    return ""
