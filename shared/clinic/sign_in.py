"""What must hold of the clinic's own issuer in clinic.yaml: https, and each mapping to one client."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.clinic.flaws import Flaw, Place, https_url, known
from shared.clinic.model import Clinic
from shared.clinic.parties import PersonMapping


def findings(clinic: Clinic) -> Iterator[Flaw]:
    """Find everything that does not fit together."""
    if clinic.sign_in is None:
        return
    if not is_on_this_machine(clinic.sign_in.issuer):
        yield from https_url(clinic.sign_in.issuer, ("sign_in", "issuer"))
    if "openid" not in clinic.sign_in.scopes:
        yield Flaw(("sign_in", "scopes"), "must hold openid")
    clients = [client.id for client in clinic.clients]
    for index, mapping in enumerate(clinic.sign_in.people):
        yield from _mapping(mapping, clients, ("sign_in", "people", index))


def is_on_this_machine(url: str) -> bool:
    """Tell whether this is http at a loopback address, where nobody else can listen."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _mapping(mapping: PersonMapping, clients: list[str], place: Place) -> Iterator[Flaw]:
    by_claim = mapping.claim is not None or mapping.value is not None
    if (mapping.subject is None) is not by_claim:
        yield Flaw(place, "names a subject, or a claim and its value, one of both")
    elif by_claim and (mapping.claim is None or mapping.value is None):
        yield Flaw(place, "names a claim and its value together")
    yield from known((*place, "client"), mapping.client, clients)
