"""What `$available-actions` offers a party, and whether it is what the calls then say."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from shared.fhir import check
from tests.support.clinic import BASE_URL, TestClinic


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action that is offered: its parts by name, its parameters with what is allowed, and the reason."""

    parts: Mapping[str, Any]
    allowed: Mapping[str, Sequence[str]]

    @property
    def available(self) -> bool:
        """Whether it may be done now."""
        return bool(self.parts["available"])

    @property
    def call(self) -> tuple[Any, ...]:
        """How it is called: what is called alike is another act in another state."""
        return self.parts["method"], self.parts["url"], str(self.allowed)

    @property
    def address(self) -> str:
        """Where it is called, below the clinic."""
        return str(self.parts["url"]).removeprefix(BASE_URL)


def declared(action: Action, *said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Keep of what may be said the parameters that an action has."""
    return [parameter for parameter in said if parameter["name"] in action.allowed]


async def offered(clinic: TestClinic, party: str, address: str) -> dict[str, Action]:
    """Ask what a party may do with a resource (`/referral/fhir/Claim/1`)."""
    answer = await clinic.as_(party).get(f"{address}/$available-actions")
    assert answer.status_code == 200, answer.text
    await check.receive(answer.content, allowed=("Parameters",))
    found = [_action(parameter["part"]) for parameter in answer.json().get("parameter", [])]
    return {str(action.parts["name"]): action for action in found}


async def drifting(
    clinic: TestClinic,
    party: str,
    address: str,
    *,
    state: str,
    reset: Callable[[], Awaitable[None]],
    call: Callable[[Action], Awaitable[httpx.Response]],
) -> list[str]:
    """Name the actions that are offered and refused for the state, or the other way round.

    `reset` brings the resource to the state; it is done before each call, since a call may change it. Of two
    that are called alike (a plan is activated, or revised, by the status active) the call may be what either
    offers. A body that a state makes no FHIR is refused without a reason of the state.
    """
    await reset()
    wrong = []
    actions = await offered(clinic, party, address)
    for name, action in actions.items():
        possible = any(other.available for other in actions.values() if other.call == action.call)
        await reset()
        answer = await call(action)
        assert answer.status_code in (200, 201, 403, 409, 422), f"{state} {name}: {answer.text}"
        if possible is not (answer.status_code < 400):
            wrong.append(f"{state} {name}: {possible} and {answer.status_code}: {answer.text}")
        elif not possible:
            reason, said = action.parts["reason"], answer.json()["issue"][0]["details"]
            wrong += [f"{state} {name}: {reason} and {said}"] if "coding" in said and said != reason else []
    return wrong


def _action(parts: Sequence[Mapping[str, Any]]) -> Action:
    asked = [part["part"] for part in parts if part["name"] == "parameter"]
    return Action(
        parts={part["name"]: _value(part) for part in parts if part["name"] != "parameter"},
        allowed={
            _value(parameter[0]): [_value(part) for part in parameter if part["name"] == "allowed"]
            for parameter in asked
        },
    )


def _value(part: Mapping[str, Any]) -> Any:
    return next(value for name, value in part.items() if name.startswith("value"))
