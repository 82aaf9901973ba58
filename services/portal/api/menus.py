"""The menu of each party: where people go, and by which letter after `g`; a letter stands once in a menu."""

from collections.abc import Mapping
from dataclasses import dataclass


def _(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a menu."""

    text: str
    path: str
    letter: str


MENUS: Mapping[str, tuple[Entry, ...]] = {
    "referrer": (
        Entry(_("My referrals"), "/referrals", "r"),
        Entry(_("New referral"), "/new-referral", "n"),
        Entry(_("Reports"), "/reports", "o"),
    ),
    "coordinator": (
        Entry(_("Today"), "/today", "t"),
        Entry(_("At the desk"), "/desk", "d"),
        Entry(_("Triage"), "/triage", "r"),
        Entry(_("Promises"), "/four-weeks", "f"),
        Entry(_("Calendar"), "/calendar", "c"),
        Entry(_("Waitlist"), "/waitlist", "w"),
        Entry(_("Telephone list"), "/telephone", "l"),
        Entry(_("Times offered"), "/offers", "v"),
        Entry(_("Forecast"), "/forecast", "o"),
        Entry(_("Roster"), "/roster", "s"),
        Entry(_("Patients"), "/patients", "p"),
        Entry(_("Case meetings"), "/meetings", "m"),
        Entry(_("Messages"), "/messages", "e"),
        Entry(_("Enter a referral"), "/enter-referral", "n"),
    ),
    "clinician": (
        Entry(_("My day"), "/day", "d"),
        Entry(_("My patients"), "/patients", "p"),
        Entry(_("Case meetings"), "/meetings", "c"),
        Entry(_("Actions"), "/actions", "a"),
        Entry(_("Messages"), "/messages", "m"),
    ),
    "insurer": (
        Entry(_("To decide"), "/claims", "d"),
        Entry(_("Search"), "/claim-search", "s"),
        Entry(_("All requests"), "/all-claims", "c"),
    ),
    "operator": (
        Entry(_("Health"), "/health", "h"),
        Entry(_("Deliveries"), "/deliveries", "d"),
        Entry(_("Held events"), "/held", "e"),
        Entry(_("Trace"), "/trace", "t"),
    ),
    "privacy-officer": (Entry(_("Audit"), "/audit", "a"),),
}


def home_of(party: str) -> str:
    """Give the page at which a party begins its day."""
    entries = MENUS.get(party, ())
    return entries[0].path if entries else "/nothing-here"


def entry_of(party: str, path: str) -> Entry | None:
    """Give the entry under which a page stands: the longest path that it begins with."""
    fitting = [one for one in MENUS.get(party, ()) if path == one.path or path.startswith(f"{one.path}/")]
    return max(fitting, key=lambda one: len(one.path), default=None)
