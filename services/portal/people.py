"""Patients' names for a page: read once for all of its rows, by the ids that stand in them."""

from collections.abc import Iterable
from typing import Any

from services.portal.calls import Calls, by_id
from services.portal.reading import id_of

_AT_ONCE = 100


async def patients_of(calls: Calls, references: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Read the patients whom references name, by id; who cannot be read is not there."""
    ids = list(dict.fromkeys(one for one in map(id_of, references) if one))[:_AT_ONCE]
    if not ids:
        return {}
    return by_id(await calls.get("/referral/fhir/Patient", _id=",".join(ids), _count=_AT_ONCE), "Patient")
