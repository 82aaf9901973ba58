"""What of a clinic changes from day to day, and how it is laid over clinic.yaml.

Invariants:
- The roster of a site is people with their hours and absences, rooms, closed days and whatever else its place
  has, and what the visits of its programmes need. All else (who a site is, its meeting hour, for whom a
  programme is, payers, clients) is said by clinic.yaml alone.
- A site with a roster takes nothing of that from the file; a site without one is as the file says.
- What the file does not know any more, a site or a programme, is left out; what it newly knows is as it says.
- A member that a kept roster does not have yet, because it was kept by an older version, is the file's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.clinic.model import Clinic
from shared.clinic.part import Id, Part
from shared.clinic.programmes import Programme
from shared.clinic.staff import Person, Site

_OF_THE_FILE = {
    Site: frozenset({"id", "name", "time_zone", "meeting", "phone"}),
    Programme: frozenset(
        {"id", "name", "streams", "eligibility", "proposed_for", "self_referral", "site", "team"}
        | {"weeks", "lead", "formerly", "phases", "total", "treatments", "groups", "reviews"}
    ),
}


class SiteRoster(Part):
    """The roster of one site; `place` and `programmes` hold members as clinic.yaml writes them."""

    site: Id
    people: tuple[Person, ...]
    place: dict[str, Any]
    programmes: dict[Id, dict[str, Any]]

    def document(self) -> dict[str, Any]:
        """Write it as JSON has it; what is at its default is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def roster_names(kind: type[Site] | type[Programme]) -> list[str]:
    """Name the members of a site or of a programme that belong to the roster."""
    names = {field.alias or name for name, field in kind.model_fields.items()}
    return sorted(names - _OF_THE_FILE[kind])


def roster_of(clinic: Clinic, *, site_id: str) -> SiteRoster:
    """Take the roster of a site out of a clinic; raises KeyError for a site that there is not."""
    return SiteRoster(
        site=site_id,
        people=tuple(person for person in clinic.people if person.site == site_id),
        place=_roster_members(clinic.site(site_id)),
        programmes={one.id: _roster_members(one) for one in clinic.programmes if one.site == site_id},
    )


def laid_over(clinic: Clinic, rosters: Iterable[SiteRoster]) -> Clinic:
    """Lay the rosters of sites over a clinic; raises ValidationError for one that is none."""
    known = {roster.site: roster for roster in rosters}
    if not known:
        return clinic
    people: list[Person] = []
    for site in clinic.sites:
        here = known.get(site.id)
        people += [one for one in clinic.people if one.site == site.id] if here is None else here.people
    sites = tuple(_with(site, _place(known.get(site.id))) for site in clinic.sites)
    programmes = tuple(_with(one, _visits(known.get(one.site), one.id)) for one in clinic.programmes)
    return clinic.model_copy(update={"people": tuple(people), "sites": sites, "programmes": programmes})


def _place(roster: SiteRoster | None) -> Mapping[str, Any]:
    return {} if roster is None else roster.place


def _visits(roster: SiteRoster | None, programme: str) -> Mapping[str, Any]:
    return {} if roster is None else roster.programmes.get(programme, {})


def _roster_members(part: Site | Programme) -> dict[str, Any]:
    """Write what of a site or programme belongs to the roster; what is not there is written as None."""
    written = part.model_dump(mode="json", by_alias=True)
    return {name: written[name] for name in roster_names(type(part))}


def _with(part: Any, members: Mapping[str, Any]) -> Any:
    """Replace members of the file by those of a roster, and check them as those of the file."""
    if not members:
        return part
    written = part.model_dump(mode="json", by_alias=True)
    kept = {name: value for name, value in members.items() if name in written}
    return type(part).model_validate(written | kept)
