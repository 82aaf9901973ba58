"""What tests of the nightly look ask, say and do."""

from collections.abc import Sequence
from typing import Any

from services.referral import use_cases
from shared.fhir.reasons import reasons_of
from tests.integration.referral.doors import located, send, told, work_of
from tests.integration.referral.test_following_care import Care
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.context import a_context
from tests.support.sql import sql

OPEN = "code=overdue-referral&status=requested"
EMERGENCY = {"saddle-anaesthesia": "Y"}


async def open_work(clinic: TestClinic) -> list[dict[str, Any]]:
    return await work_of(clinic, "coordinator", OPEN)


async def told_codes(clinic: TestClinic) -> list[str]:
    """Give the first reason of each open Task."""
    return [reasons_of(work["statusReason"])[0].code for work in await open_work(clinic)]


async def overdue_events(clinic: TestClinic) -> int:
    return (await told(clinic)).count("referral.overdue")


async def change(clinic: TestClinic, statement: str, **values: Any) -> None:
    """Change something behind the back of the life cycle, as no verb does."""
    async with clinic.databases["referral"].transaction() as tx:
        await sql(tx, statement, **values)


async def timers_of(clinic: TestClinic, kind: str) -> Sequence[Any]:
    async with clinic.databases["referral"].transaction() as tx:
        return (
            await sql(tx, "SELECT ref, due_at FROM timer WHERE kind = :kind ORDER BY ref", kind=kind)
        ).all()


async def heard(care: Care, *events: str) -> None:
    """Let the other services say these things, one after the other."""
    for event in events:
        if event.startswith("plan"):
            await care.plan(event)
        else:
            await care.appointment(event)


async def say(care: Care, event: str) -> None:
    """Let another service say something beside the life cycle."""
    if event.startswith("appointment"):
        await care.appointment(event)
        return
    about = {"basedOn": [{"reference": f"ServiceRequest/{care.referral}"}]}
    if event.startswith("series"):
        focus = {"resourceType": "List", "id": "11", "status": "current", "mode": "working"}
        focus |= {"subject": {"reference": f"Patient/{care.patient}"}}
        focus |= {"extension": [], **about}
    else:
        focus = {"resourceType": "Task", "id": "11", "status": "failed", "intent": "order", **about}
        focus |= {"for": {"reference": f"Patient/{care.patient}"}}
        focus |= {"focus": {"reference": f"ServiceRequest/{care.referral}"}}
    await care.clinic.publish(event, focus=focus)
    await care.clinic.settle()


async def accepted_twice(clinic: TestClinic) -> Care:
    """Send the same need twice; give the first."""
    first = await send(clinic, referrals.bundle(health_card="17"))
    await send(clinic, referrals.bundle(health_card="17"))
    return Care(clinic, located(first), located(first, "Patient"))


async def stopped(clinic: TestClinic) -> None:
    await clinic.settle()
    for worker in clinic.workers.values():
        await worker.stop()


async def look(clinic: TestClinic, site: str = "toronto") -> None:
    """Let the timer of a site fire now."""
    now = clinic.clock.now()
    async with clinic.databases["referral"].transaction() as tx:
        await use_cases.nightly_look.run(a_context(at=now, clinic=clinic.clinic), tx, site, due=now)


async def look_at(clinic: TestClinic, referral: str) -> None:
    """Let the timer of one referral fire now."""
    async with clinic.databases["referral"].transaction() as tx:
        await use_cases.nightly_look.look_at_one(
            a_context(at=clinic.clock.now(), clinic=clinic.clinic), tx, referral
        )
