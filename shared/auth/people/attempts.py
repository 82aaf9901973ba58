"""How often somebody may try a password: counted before it is looked at, so that many at once gain nothing.

Why these numbers: five for a person let a mistyped password be corrected, thirty for an address let a clinic
behind one sign in at eight in the morning; both begin anew after a quarter of an hour.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from shared.auth.people import queries
from shared.auth.people.models import AttemptSubject
from shared.auth.people.rules import mark_of
from shared.db import Transaction

WINDOW = timedelta(minutes=15)
ALLOWED: Mapping[AttemptSubject, int] = {AttemptSubject.PERSON: 5, AttemptSubject.ADDRESS: 30}


async def begin_attempt(tx: Transaction, *, login: str, address: str, at: datetime) -> int | None:
    """Count an attempt; return after how many seconds another is worth it where this one is too many."""
    await queries.forget_attempts(tx, since_before=at - WINDOW)
    waits = []
    for subject, text in _subjects(login, address):
        attempts = await queries.count_attempt(tx, subject, mark_of(text), at=at, window=WINDOW)
        if attempts.failures > ALLOWED[subject]:
            waits.append(math.ceil((attempts.machine_since + WINDOW - at).total_seconds()))
    return max(waits, default=None)


async def attempt_succeeded(tx: Transaction, *, login: str, address: str) -> None:
    """Take back the count of an attempt that was right; those of the person before it are forgotten."""
    await queries.forget_attempts_of(tx, AttemptSubject.PERSON, mark_of(login))
    await queries.uncount_attempt(tx, AttemptSubject.ADDRESS, mark_of(_network(address)))


def _subjects(login: str, address: str) -> tuple[tuple[AttemptSubject, str], ...]:
    """Name whose attempts are counted, always in this order, so that no two wait for each other."""
    return (AttemptSubject.PERSON, login), (AttemptSubject.ADDRESS, _network(address))


def _network(address: str) -> str:
    """Name where somebody is: of IPv6 the first half, as one household has all of the second."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return (parsed.ipv4_mapped or parsed).exploded[:19]
    return str(parsed)
