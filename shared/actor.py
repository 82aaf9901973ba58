"""Who does something: every write names its actor, so nobody is anonymous."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person, an organisation's system, or one of our services.

    `reference` is a FHIR reference (`Practitioner/physiotherapist`, `Organization/family-practice`,
    `Device/scheduling`); `client` is the id of the registered client, None for our own services.
    """

    reference: str
    client: str | None = None

    @classmethod
    def service(cls, name: str) -> "Actor":
        """Name one of our own services as the actor."""
        return cls(reference=f"Device/{name}")
