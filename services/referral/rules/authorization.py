"""What is asked of an insurer, and what its review actions mean (docs/how/authorization.md)."""

from collections.abc import Sequence
from datetime import date, timedelta

from services.referral.models.grants import Decision, GrantedItem, RequestedItem
from services.referral.states import GRANTS, STATUS_OF_ACTION, Authorization
from shared.clinic import Clinic
from shared.errors import Invalid, Problem


class WrongDecision(Invalid):
    """A ClaimResponse that cannot be acted on."""


def is_needed(programme: str | None, payer: str | None, *, clinic: Clinic) -> bool:
    """Tell whether this payer wants to be asked before this programme's sessions."""
    if programme is None or payer is None:
        return False
    return clinic.payer(payer).authorization_required and clinic.programme(programme).course is not None


def requested_items(programme: str, *, on: date, clinic: Clinic) -> tuple[RequestedItem, ...]:
    """List what the programme's sessions need: units of each discipline, and a period that begins today.

    The period has room for the wait until the first appointment beside the programme's own weeks.
    """
    found = clinic.programme(programme)
    totals = {} if found.course is None else found.course.totals
    days = clinic.guarantee.priorities.routine.length + 7 * found.weeks
    return tuple(
        RequestedItem(
            sequence=number,
            product=f"{discipline}-session",
            units=units,
            start=on,
            end=on + timedelta(days=days),
        )
        for number, (discipline, units) in enumerate(totals.items(), start=1)
    )


def decide(
    requested: Sequence[RequestedItem],
    answered: Sequence[GrantedItem],
    *,
    reason: str | None,
    problems: Sequence[Problem] = (),
) -> Decision:
    """Judge an insurer's answer item by item; raises WrongDecision with all that is wrong.

    An item that was not answered is still pended. The outcome of the ClaimResponse is not looked at.
    """
    problems = [*problems, *_wrong_sequences(requested, answered), *_wrong_units(requested, answered)]
    denied = any(item.action == "A3" for item in answered)
    if denied and not reason:
        problems.append(
            Problem(
                text="an item that is not certified (A3) needs its reason",
                code="required",
                expression="ClaimResponse.processNote",
            )
        )
    if problems:
        raise WrongDecision(problems=problems)
    said = {item.sequence: item for item in answered}
    pending = [
        GrantedItem(sequence=item.sequence, action="A4", product=item.product, units=0)
        for item in requested
        if item.sequence not in said
    ]
    items = tuple(sorted([*answered, *pending], key=lambda item: item.sequence))
    return Decision(status=_whole_status([item.action for item in items]), items=items, reason=reason)


def _whole_status(actions: Sequence[str]) -> Authorization:
    """Roll the items up: one that is pended pends the whole, one word for all stands, a mix is partial."""
    states = {STATUS_OF_ACTION[action] for action in actions}
    if not states or Authorization.PENDED in states:
        return Authorization.PENDED
    if len(states) == 1:
        return states.pop()
    return Authorization.PARTIALLY_APPROVED


def _wrong_sequences(requested: Sequence[RequestedItem], answered: Sequence[GrantedItem]) -> list[Problem]:
    known, seen, problems = {item.sequence for item in requested}, set[int](), []
    for place, item in enumerate(answered):
        expression = f"ClaimResponse.item[{place}].itemSequence"
        if item.sequence not in known:
            text = f"the Claim has no item {item.sequence}; it has {', '.join(map(str, sorted(known)))}"
            problems.append(Problem(text=text, expression=expression))
        if item.sequence in seen:
            text = f"item {item.sequence} is answered twice"
            problems.append(Problem(text=text, expression=expression))
        seen.add(item.sequence)
    return problems


def _wrong_units(requested: Sequence[RequestedItem], answered: Sequence[GrantedItem]) -> list[Problem]:
    asked = {item.sequence: item for item in requested}
    problems = []
    for place, item in enumerate(answered):
        grants = STATUS_OF_ACTION[item.action] in GRANTS
        expression = f"ClaimResponse.item[{place}]"
        if grants and item.units < 1:
            text = f"{item.action} says how many units are granted: at least one"
            problems.append(Problem(text=text, code="required", expression=expression))
        of = asked.get(item.sequence)
        if item.action == "A2" and of is not None and item.units >= of.units:
            text = f"A2 grants less than the {of.units} units that were asked for"
            problems.append(Problem(text=text, expression=expression))
        if grants and item.start and item.end and item.start > item.end:
            text = "the granted period ends before it starts"
            problems.append(Problem(text=text, expression="ClaimResponse.preAuthPeriod"))
    return problems
