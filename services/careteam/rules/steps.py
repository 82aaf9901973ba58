"""Why a life cycle does not lead from one state to another."""

from collections.abc import Collection

from shared.reasons import Reason


def why_not(state: str, *, to: str, ways: Collection[str]) -> Reason | None:
    """Say why a state cannot follow, where it is none of the ways that lead on; None where it is one."""
    if to in ways:
        return None
    if not ways:
        return Reason.of("nothing-follows", state=state)
    return Reason.of("no-such-step", state=state, to=to, allowed=sorted(ways))
