"""The live feed: what stands in an entry, and who may see it at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.notifications.rules.audiences import Parties
from services.notifications.rules.routing import NOTIFICATION_ROUTES, PATIENT_ANSWERS, UNDELIVERABLE
from services.notifications.states import Audience
from shared.auth.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry of the log: what a reader is shown, and what its row scope is decided by.

    `people` are the practitioners that the event names (participants, an owner). `only` is the one client
    that an alert is for. `meeting` is the case meeting that it is about, where there is one.
    """

    id: str
    type: str
    time: str
    text: str
    focus: str
    patient: str | None
    referral: str | None
    audiences: tuple[Audience, ...]
    site: str | None = None
    requester: str | None = None
    payer: str | None = None
    claim: str | None = None
    people: tuple[str, ...] = ()
    only: str | None = None
    meeting: str | None = None

    def shown(self) -> Mapping[str, Any]:
        """Give what a reader gets."""
        names = ("id", "type", "time", "patient", "referral", "focus", "meeting", "text")
        return {name: getattr(self, name) for name in names}


# Every type that stands in the feed.
FEED_TYPES = (*sorted(NOTIFICATION_ROUTES), *PATIENT_ANSWERS, UNDELIVERABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFilter:
    """What a reader wants of what it may see; None is all. `focus` is `Type/id`, the others are ids."""

    types: frozenset[str] | None = None
    patient: str | None = None
    focus: str | None = None
    meeting: str | None = None

    def wants(self, entry: FeedEntry) -> bool:
        """Tell whether an entry is wanted, whoever may see it."""
        return (
            (self.types is None or entry.type in self.types)
            and self.patient in (None, entry.patient)
            and self.focus in (None, entry.focus)
            and self.meeting in (None, entry.meeting)
        )


EVERYTHING = FeedFilter()


def may_see(entry: FeedEntry, reader: Principal, parties: Parties) -> bool:
    """Decide by the reader's party and the memberships as they are now; an operator sees nothing."""
    if entry.only is not None:
        return reader.client == entry.only
    match reader.party:
        case "referrer":
            return Audience.REFERRER in entry.audiences and _same(reader.organization, entry.requester)
        case "insurer":
            theirs = Audience.INSURER in entry.audiences and _same(reader.organization, entry.payer)
            return theirs and parties.consented
        case "coordinator":
            return Audience.COORDINATOR in entry.audiences and _same(reader.site, entry.site)
        case "clinician":
            on_team = Audience.TEAM in entry.audiences and reader.practitioner in parties.team
            return on_team or (reader.practitioner is not None and reader.practitioner in entry.people)
        case _:
            return False


def _same(mine: str | None, theirs: str | None) -> bool:
    return mine is not None and mine == theirs
