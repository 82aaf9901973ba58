"""What must hold of a registered client: its scopes, the names that its party needs, and its keys."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.auth.scopes import NotAScope, Scopes
from shared.clinic.flaws import Flaw, Place, https_url, known, twice
from shared.clinic.model import Clinic
from shared.clinic.parties import Client

_NEEDED = {
    "referrer": ("organization",),
    "insurer": ("payer",),
    "clinician": ("practitioner",),
    "coordinator": ("site", "email"),
    "operator": (),
    "privacy-officer": (),
}
_PERMITTED = {"clinician": ("site", "email"), "operator": ("email",), "privacy-officer": ("email",)}


def findings(clinic: Clinic, client: Client, place: Place) -> Iterator[Flaw]:
    """Find everything that is wrong with a client that stands at this place."""
    try:
        Scopes.parse(client.scopes)
    except NotAScope as error:
        wrong = next(index for index, text in enumerate(client.scopes) if not _is_scope(text))
        yield Flaw((*place, "scopes", wrong), str(error))
    else:
        yield from _scopes_of_party(client, place)
    needed = _NEEDED[client.party]
    for member in ("organization", "payer", "practitioner", "site", "email"):
        given = getattr(client, member) is not None
        if member in needed and not given:
            yield Flaw((*place, member), f"is missing: the party {client.party!r} needs it")
        elif given and member not in (*needed, *_PERMITTED.get(client.party, ())):
            yield Flaw((*place, member), f"is not for the party {client.party!r}")
    if client.overbooks and client.party not in ("coordinator", "clinician"):
        yield Flaw((*place, "overbooks"), f"is not for the party {client.party!r}")
    yield from _client_names(clinic, client, place)
    yield from _client_keys(client, place)


def _client_keys(client: Client, place: Place) -> Iterator[Flaw]:
    if client.jwks is not None and client.jwks_url is not None:
        yield Flaw((*place, "jwks_url"), "stands beside jwks; a client registers one of both")
    if client.jwks_url is not None:
        yield from https_url(client.jwks_url, (*place, "jwks_url"))
    if client.jwks is not None:
        yield from _keys(client.jwks.keys, (*place, "jwks", "keys"))


def _keys(keys: Sequence[Mapping[str, Any]], place: Place) -> Iterator[Flaw]:
    # It brings the cryptography that a worker, which reads clinic.yaml too, does without.
    from shared.auth.public_keys import NotAPublicKey, public_key

    for index, jwk in enumerate(keys):
        try:
            public_key(jwk)
        except NotAPublicKey as error:
            yield Flaw((*place, index), str(error))
    yield from twice(((*place, index, "kid"), str(jwk.get("kid"))) for index, jwk in enumerate(keys))


def _scopes_of_party(client: Client, place: Place) -> Iterator[Flaw]:
    """Find what a privacy officer could do beside reading who saw or did what."""
    if client.party != "privacy-officer":
        return
    for index, text in enumerate(client.scopes):
        if not Scopes.parse([text]).granted <= {("AuditEvent", "r"), ("AuditEvent", "s")}:
            allowed = "allowed is user/AuditEvent.rs"
            yield Flaw((*place, "scopes", index), f"is not for the party {client.party!r}; {allowed}")


def _client_names(clinic: Clinic, client: Client, place: Place) -> Iterator[Flaw]:
    people = {one.id: one for one in clinic.people}
    for member, name, there in (
        ("organization", client.organization, [one.id for one in clinic.organizations]),
        ("payer", client.payer, [one.id for one in clinic.payers]),
        ("practitioner", client.practitioner, list(people)),
        ("site", client.site, [one.id for one in clinic.sites]),
    ):
        if name is not None:
            yield from known((*place, member), name, there)
    person = people.get(client.practitioner or "")
    if person is not None and client.site not in (None, person.site):
        yield Flaw((*place, "site"), f"must be {person.site!r}, where {person.id!r} works")


def _is_scope(text: str) -> bool:
    try:
        Scopes.parse([text])
    except NotAScope:
        return False
    return True
