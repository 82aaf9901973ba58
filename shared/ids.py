"""Ids are uuid7: they sort by the time they were made and tell nobody anything else.

A patient's id is random: the time in it would tell a second sender that somebody else had sent them before.
"""

from secrets import token_urlsafe
from uuid import UUID

import uuid_utils
from asyncpg.pgproto.pgproto import UUID as OfDriver


def new_id() -> UUID:
    """Make a new id from machine time; never call it in `rules` or `use_cases` (rows make their own ids)."""
    # The driver's own UUIDs are of this class too: made, written and sent ten times as fast.
    made: UUID = OfDriver(uuid_utils.uuid7().bytes)
    return made


def new_undated_id() -> UUID:
    """Make a new id that says nothing of when."""
    made: UUID = OfDriver(uuid_utils.uuid4().bytes)
    return made


def new_secret() -> str:
    """Make a secret that fits into an address, of 256 bits; never call it in `rules` or `use_cases`."""
    return token_urlsafe(32)


def made_at(text: str) -> float | None:
    """Tell when an id was made, in machine seconds since 1970; None for what is no uuid7."""
    digits = text.replace("-", "")
    if len(digits) != 32 or digits[12] != "7":
        return None
    try:
        return int(digits[:12], 16) / 1000
    except ValueError:
        return None


def new_text_id() -> str:
    """Make a new id as the 36 characters that FHIR and CloudEvents carry."""
    return str(uuid_utils.uuid7())
