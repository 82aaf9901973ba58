"""A Patient as a caller sees it: a sender of a person whom somebody else described sees the name alone.

Invariant: nothing that another sender said of a patient is shown, nor how often or when it changed.
"""

import msgspec

from services.referral import fhir
from shared.auth.principal import Principal
from shared.db.models import StoredResource


def seen_as(principal: Principal, row: StoredResource) -> StoredResource:
    """Cut a Patient to the name by which it was matched, where another sender described it."""
    if principal.party != "referrer" or row.requester == principal.organization:
        return row
    family, given = fhir.people.names(msgspec.json.decode(row.body))
    name = {"family": family, "given": given.split()[:1]}
    cut = {
        "resourceType": "Patient",
        "id": str(row.id),
        "meta": {"versionId": "1"},
        "name": [{member: value for member, value in name.items() if value}],
    }
    changes = {"body": msgspec.json.encode(cut), "version": 1, "last_updated": None}
    return row.model_copy(update=changes)
