"""A failure is walked once more where something is recorded only then: no other run pays for a trace or a replay."""

from collections.abc import Sequence

from msgspec.structs import replace

from runner.dsl.plan import Plan
from runner.result import Attempt


def plan_second_look(plan: Plan, attempts: Sequence[Attempt], seconds_left: float) -> Plan | None:
    """The plan of a further walk that records what the attempts have not; None where there is nothing to record, or no time.

    That is what `on-first-retry` stands for, after a failure of the site that was not followed by a retry. The walk needs as long as
    the attempt did, and has what the run's timeout leaves.
    """
    wanted = {kind: policy for kind, policy in plan.artifact_policies.items() if policy == "on-first-retry"}
    if not wanted or len(attempts) != 1 or attempts[0].status != "failed" or seconds_left < attempts[0].duration_seconds:
        return None
    return replace(plan, artifact_policies=dict.fromkeys(plan.artifact_policies, "off") | wanted)


def describe_second_look(plan: Plan, looked: Attempt) -> str:
    """What a reader of the result should know of it."""
    kinds = " and ".join(kind for kind, policy in plan.artifact_policies.items() if policy != "off")
    outcome = "passed"
    if looked.failure is not None:
        where = looked.failure.step
        outcome = (
            f"failed again in step {where!r}" if where else f"failed again: {looked.failure.message.partition(chr(10))[0]}"
        )
    return f"the journey was walked once more, to record {kinds}; that walk {outcome} and does not count"
