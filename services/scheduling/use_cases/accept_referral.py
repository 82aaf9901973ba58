"""An accepted referral gets its promise and its first appointment."""

from services.scheduling import fhir, queries, rules
from services.scheduling.models import Referral
from services.scheduling.settings import Desk
from services.scheduling.use_cases.place_first import place_first
from services.scheduling.use_cases.promise import make_promise
from shared.act import Act
from shared.db import Transaction


async def accept_referral(tx: Transaction, heard: fhir.AcceptedReferral, *, desk: Desk, act: Act) -> None:
    """Record the referral, make its promise and book its first appointment.

    A referral that is known already is left as it is: it was accepted before, or it has ended since.
    """
    if await queries.locked_referral(tx, heard.id) is not None:
        return
    zone = desk.clinic.site(heard.site).zone
    away = [rules.span_between(first, last, zone) for first, last in heard.unavailable]
    referral = Referral(
        id=heard.id,
        patient_id=heard.patient_id,
        programme=heard.programme,
        site=heard.site,
        requester=heard.requester,
        payer=heard.payer,
        accepted_at=act.at,
        sent_at=heard.sent_at,
        complete_at=heard.complete_at,
        due_on=heard.due_on,
        due_at=rules.local_day_end(heard.due_on, zone),
        unavailable=[[start.isoformat(), end.isoformat()] for start, end in away],
    )
    tx.add(referral)
    await tx.flush()
    await make_promise(tx, referral, desk=desk)
    await place_first(tx, referral, desk=desk, act=act)
