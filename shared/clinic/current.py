"""The clinic as it is now: clinic.yaml with the newest rosters of its sites laid over it.

Invariants:
- A process has one for each service, made where it is put together, and every context takes its clinic out of
  it. A Clinic itself never changes; who works with one finishes with that.
- A roster is never replaced by an older one, whoever brings it.
"""

from collections.abc import Iterable

from shared.clinic.model import Clinic
from shared.clinic.roster import SiteRoster, laid_over


class CurrentClinic:
    """Holds the clinic as it is now; `described` is what clinic.yaml says."""

    def __init__(self, described: Clinic) -> None:
        self.described = described
        self._rosters: dict[str, tuple[int, SiteRoster]] = {}
        self._put(described)

    @property
    def revisions(self) -> dict[str, int]:
        """The revision of each roster that is laid over, by site."""
        return {site: revision for site, (revision, _) in self._rosters.items()}

    def has_person(self, person_id: str) -> bool:
        """Tell whether somebody works at this clinic now."""
        return person_id in self._staff

    def replace(self, rosters: Iterable[tuple[int, SiteRoster]]) -> None:
        """Lay rosters over with their revisions, those that are newer."""
        known = self.revisions
        newer = {
            roster.site: (revision, roster)
            for revision, roster in rosters
            if revision > known.get(roster.site, 0)
        }
        if newer:
            self._rosters |= newer
            self._put(laid_over(self.described, [roster for _, roster in self._rosters.values()]))

    def _put(self, clinic: Clinic) -> None:
        self.value = clinic
        self._staff = frozenset(person.id for person in clinic.people)
