"""What review actions mean, item by item and for the whole Claim."""

from datetime import date

import pytest

from services.referral import rules
from services.referral.models.grants import GrantedItem, RequestedItem
from services.referral.states import Authorization
from tests.unit.referral.builders import CLINIC, TODAY

ASKED = tuple(
    RequestedItem(
        sequence=number,
        product="physiotherapy-session",
        units=12,
        start=date(2026, 3, 2),
        end=date(2026, 5, 31),
    )
    for number in (1, 2)
)


def answered(sequence: int, action: str, units: int = 0) -> GrantedItem:
    return GrantedItem(sequence=sequence, action=action, product="physiotherapy-session", units=units)


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        (["A1", "A1"], Authorization.APPROVED),
        (["A1", "A4"], Authorization.PENDED),
        (["A3", "CT"], Authorization.PENDED),
        (["A1", "A3"], Authorization.PARTIALLY_APPROVED),
        (["A2", "A2"], Authorization.PARTIALLY_APPROVED),
        (["A6", "A6"], Authorization.MODIFIED),
        (["A3", "A3"], Authorization.DENIED),
        (["NA", "NA"], Authorization.NOT_REQUIRED),
        (["C", "C"], Authorization.CANCELLED),
        ([], Authorization.PENDED),
    ],
)
def test_the_items_roll_up(actions: list[str], status: Authorization) -> None:
    answers = [answered(number, action, 6) for number, action in enumerate(actions, start=1)]
    assert rules.authorization.decide(ASKED, answers, reason="because").status is status


def test_an_item_that_was_not_answered_is_pended() -> None:
    decision = rules.authorization.decide(ASKED, [answered(1, "A1", 12)], reason=None)
    assert decision.status is Authorization.PENDED
    assert [item.action for item in decision.items] == ["A1", "A4"]


def test_everything_that_does_not_fit_is_said_at_once() -> None:
    items = [answered(1, "A2", 12), answered(1, "A1", 12), answered(9, "A3")]
    with pytest.raises(rules.authorization.WrongDecision) as refused:
        rules.authorization.decide(ASKED, items, reason=None)
    assert [problem.expression for problem in refused.value.problems] == [
        "ClaimResponse.item[1].itemSequence",
        "ClaimResponse.item[2].itemSequence",
        "ClaimResponse.item[0]",
        "ClaimResponse.processNote",
    ]


def test_the_claim_asks_for_the_programmes_sessions_and_leaves_room_for_the_wait() -> None:
    (item,) = rules.authorization.requested_items("workplace-rehabilitation", on=TODAY, clinic=CLINIC)
    assert (item.product, item.units) == ("physiotherapy-session", 12)
    assert (item.end - item.start).days == 28 + 8 * 7


@pytest.mark.parametrize(
    ("programme", "payer", "needed"),
    [
        ("workplace-rehabilitation", "workplace-insurer", True),
        ("workplace-rehabilitation", None, False),
        ("rapid-access", "workplace-insurer", False),
        (None, "workplace-insurer", False),
    ],
)
def test_only_sessions_of_a_payer_that_wants_it_need_authorization(
    programme: str | None, payer: str | None, needed: bool
) -> None:
    assert rules.authorization.is_needed(programme, payer, clinic=CLINIC) is needed
