"""Write to a patient: to whom, in which language, and the link behind which the message stands.

Invariants:
- The secret of a link is made when its message goes, and is kept nowhere: its hash is, before it goes.
- An attempt that is repeated has a link of its own, since nobody knows whether the first one arrived.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from urllib.parse import urlsplit

from services.notifications import queries
from services.notifications.models.opened import Opened
from services.notifications.models.rows import (
    KnownOffer,
    KnownPatient,
    KnownVisit,
    Notification,
    PatientChoice,
    PatientLink,
)
from services.notifications.rules import calendar_file, patient_news, reaching
from services.notifications.states import Audience, Channel
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason

_SCHEMES = {Channel.EMAIL: "mailto:", Channel.SMS: "tel:"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPatient:
    """What a message to a patient says: its language, the secret of its link, and a calendar file."""

    language: str
    secret: str = field(repr=False)
    calendar: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPatients:
    """What is known of the patients of some messages, and the links that were made for them."""

    patients: Mapping[str, KnownPatient]
    visits: Mapping[str, KnownVisit]
    choices: Mapping[str, PatientChoice]
    offers: Mapping[str, KnownOffer]
    offered: frozenset[str]
    links: list[PatientLink] = field(default_factory=list)


def mark_of(secret: str) -> bytes:
    """Give that by which a link is found, of which nobody learns its secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def load(tx: Transaction, rows: Sequence[Notification]) -> ToPatients:
    """Read what is known of those of these messages that go to patients."""
    mine = [row for row in rows if row.audience == Audience.PATIENT]
    ids = {row.recipient_id for row in mine}
    offers = {row.offer_id for row in mine if row.offer_id}
    return ToPatients(
        patients=await queries.patients.named(tx, ids),
        visits=await queries.visits.named(tx, {row.visit_id for row in mine if row.visit_id}),
        choices=await queries.links.choices(tx, ids),
        offers=await queries.visits.offers(tx, offers),
        offered=await queries.links.offered(tx, offers),
    )


def why_not(ctx: Context, row: Notification, *, known: ToPatients) -> Reason | None:
    """Say why a message must not go to its patient any more; None where it may."""
    visit = known.visits.get(row.visit_id or "")
    return reaching.why_not(
        row,
        known.patients.get(row.recipient_id),
        visit,
        offer=known.offers.get(row.offer_id or ""),
        was_offered=row.offer_id in known.offered,
        now=ctx.at,
    )


def address(ctx: Context, row: Notification, *, known: ToPatients) -> str | None:
    """Give where a patient has a message by its channel today, None where nowhere."""
    patient = known.patients.get(row.recipient_id)
    if patient is None:
        return None
    ways = reaching.ways(patient, today=_today(ctx, row))
    return next((way.address for way in ways if way.channel == row.channel), None)


def prepare(
    ctx: Context, row: Notification, *, known: ToPatients, address: str, new_secret: Callable[[], str]
) -> ToPatient | None:
    """Make the link of a message that goes now; None for a message that is not a patient's."""
    if row.audience != Audience.PATIENT:
        return None
    secret = new_secret()
    offer = known.offers.get(row.offer_id or "")
    begins_at = row.visit_starts_at if offer is None else offer.starts_at
    known.links.append(
        PatientLink(
            mark=mark_of(secret),
            notification_id=row.id,
            patient_id=row.recipient_id,
            referral_id=row.referral_id or "",
            visit_id=row.visit_id if offer is None else offer.visit_id,
            offer_id=row.offer_id,
            starts_at=row.visit_starts_at,
            made_at=ctx.at,
            # What is about a visit opens until that begins.
            ends_at=begins_at or ctx.at + patient_news.LINK_DAYS,
            tries_left=patient_news.TRIES,
        )
    )
    patient = known.patients[row.recipient_id]
    language = reaching.language_of(patient)
    return ToPatient(
        language=language, secret=secret, calendar=_attached(ctx, row, known=known, address=address)
    )


async def keep_links(tx: Transaction, known: ToPatients) -> None:
    """Write the links that were made."""
    await tx.insert(*known.links)


def calendar_of(ctx: Context, opened: Opened) -> bytes:
    """Write what stands behind a link as a calendar file: its visit, or all that is booked."""
    zone, patient = ctx.clinic.site(opened.site).zone, opened.patient
    if opened.visit is None:
        language = reaching.language_of(patient)
        host = _host(ctx)
        return calendar_file.of_visits(opened.to_come, zone=zone, at=ctx.at, language=language, host=host)
    way = next(reaching.ways(patient, today=ctx.at.astimezone(zone).date()), None)
    attendee = f"mailto:{ctx.clinic.email}" if way is None else f"{_SCHEMES[way.channel]}{way.address}"
    return _file(ctx, opened.visit, patient, attendee=attendee)


def _attached(ctx: Context, row: Notification, *, known: ToPatients, address: str) -> bytes | None:
    """Write the calendar file of a letter about a visit, where the patient asked for that."""
    choice, visit = known.choices.get(row.recipient_id), known.visits.get(row.visit_id or "")
    if choice is None or not choice.sends_calendar or visit is None or row.channel != Channel.EMAIL:
        return None
    attendee = f"{_SCHEMES[Channel(row.channel)]}{address}"
    return _file(ctx, visit, known.patients[row.recipient_id], attendee=attendee)


def _file(ctx: Context, visit: KnownVisit, patient: KnownPatient, *, attendee: str) -> bytes:
    return calendar_file.of_visit(
        visit,
        zone=ctx.clinic.site(visit.site).zone,
        at=ctx.at,
        language=reaching.language_of(patient),
        host=_host(ctx),
        organizer=f"mailto:{ctx.clinic.email}",
        attendee=attendee,
    )


def _host(ctx: Context) -> str:
    """Give the name under which this clinic's calendar entries are one another's."""
    return urlsplit(ctx.urls.base).hostname or "localhost"


def _today(ctx: Context, row: Notification) -> date:
    return ctx.at.astimezone(ctx.clinic.site(str(row.site)).zone).date()
