"""What stands in the way of a new time, to the minute."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from services.scheduling.models.rows import Appointment
from services.scheduling.rules import moving
from services.scheduling.rules.entitlement import Entitlement, NoEntitlement, SessionBounds
from shared.reasons import Reason
from tests.support.booking import TORONTO, local

ZONE = ZoneInfo(TORONTO)
DAY = date(2026, 3, 10)
NINE = local(DAY, "09:00")
MINUTE = timedelta(minutes=1)
BOUNDS = SessionBounds(count=8, starts_on=DAY, ends_on=date(2026, 3, 20))
GRANT = Entitlement(by_discipline={"physiotherapy": BOUNDS})


def at(start: datetime, *, kind: str = "session", status: str = "booked") -> Appointment:
    return Appointment(
        referral_id=uuid4(),
        kind=kind,
        status=status,
        patient_id="patient",
        programme="rehab",
        site="toronto",
        requester="practice",
        minutes=60,
        starts_at=start,
        ends_at=start + timedelta(hours=1),
    )


def check(
    start: datetime,
    *,
    first: Appointment | None = None,
    others: Sequence[Appointment] = (),
    entitled: Entitlement | NoEntitlement = GRANT,
) -> None:
    moving.check_session(
        start,
        first=first,
        others=others,
        entitled=entitled,
        discipline="physiotherapy",
        per_week=2,
        zone=ZONE,
    )


def test_a_session_may_begin_when_the_first_appointment_ends_and_not_before() -> None:
    first = at(NINE, kind="first")
    check(NINE + timedelta(hours=1), first=first)
    with pytest.raises(moving.CannotMove, match="after the first appointment"):
        check(NINE + timedelta(hours=1) - MINUTE, first=first)


@pytest.mark.parametrize(("day", "fits"), [(9, False), (10, True), (20, True), (21, False)])
def test_both_days_of_a_grant_are_inside_it(day: int, fits: bool) -> None:
    start = local(date(2026, 3, day), "23:00")
    if fits:
        check(start)
    else:
        with pytest.raises(moving.CannotMove, match=r"2026-03-(10|20)\.$|2026-03-10 on\.$"):
            check(start)


def test_a_week_takes_as_many_sessions_as_the_programme_has_in_it() -> None:
    one, two = at(local(date(2026, 3, 11), "09:00")), at(local(date(2026, 3, 13), "09:00"))
    check(NINE, others=[one])
    check(NINE, others=[one, at(local(date(2026, 3, 13), "09:00"), status="cancelled")])
    with pytest.raises(moving.CannotMove, match="2"):
        check(NINE, others=[one, two])


def test_who_is_entitled_to_nothing_hears_why() -> None:
    with pytest.raises(moving.CannotMove, match="The payer has not decided"):
        check(NINE, entitled=NoEntitlement(why=Reason.of("payer-undecided")))
