"""Ids are uuid7: they sort by the time they were made and tell nobody anything else."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Make a new id from machine time; never call it in `rules` or `use_cases` (rows make their own ids)."""
    return uuid7()


def new_text_id() -> str:
    """Make a new id as the 36 characters that FHIR and CloudEvents carry."""
    return str(uuid7())
