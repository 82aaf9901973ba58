"""When meetings are, who must be there, and who is in a team."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.careteam.models.rows import Place
from services.careteam.rules import meetings, teams
from shared.clinic import load_clinic

CLINIC = load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")
SITE = CLINIC.site("toronto")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


class TestNextMeeting:
    def test_is_the_next_meeting_hour_in_the_sites_own_time(self):
        found = meetings.next_meeting(SITE, after=utc(2026, 9, 14, 12))
        assert (found.start, found.end) == (utc(2026, 9, 16, 16), utc(2026, 9, 16, 17))

    @pytest.mark.parametrize(
        ("after", "start"),
        [
            (utc(2026, 10, 26, 12), utc(2026, 10, 28, 16)),
            (utc(2026, 11, 2, 12), utc(2026, 11, 4, 17)),
            (utc(2027, 3, 8, 12), utc(2027, 3, 10, 17)),
            (utc(2027, 3, 15, 12), utc(2027, 3, 17, 16)),
        ],
    )
    def test_stays_at_noon_of_the_site_when_the_clocks_change(self, after: datetime, start: datetime):
        assert meetings.next_meeting(SITE, after=after).start == start

    def test_leaves_a_day_for_the_agenda(self):
        start = utc(2026, 9, 16, 16)
        latest = start - timedelta(hours=24)
        assert meetings.next_meeting(SITE, after=latest - timedelta(seconds=1)).start == start
        assert meetings.next_meeting(SITE, after=latest).start == start + timedelta(weeks=1)

    def test_skips_a_day_on_which_the_site_is_closed(self):
        closed = SITE.model_copy(update={"closed": (date(2026, 9, 16),)})
        assert meetings.next_meeting(closed, after=utc(2026, 9, 14, 12)).start == utc(2026, 9, 23, 16)


class TestQuorum:
    def test_names_each_discipline_of_the_team_that_nobody_present_has(self):
        with pytest.raises(meetings.NoQuorum, match=r"nobody present for psychology, pain-medicine\.$"):
            meetings.must_have_quorum(
                ["physiatry", "psychology", "pain-medicine"], attending={"physiatrist"}, clinic=CLINIC
            )

    def test_is_kept_by_a_colleague_of_the_same_discipline(self):
        meetings.must_have_quorum(["physiotherapy"], attending={"physiotherapist-2"}, clinic=CLINIC)


class TestChooseMembers:
    def chosen(self, programme: str, *, seen_by: str, load: dict[str, int] | None = None) -> list[str]:
        places, missing = teams.choose_members(
            CLINIC, CLINIC.programme(programme), seen_by=seen_by, load=load or {}
        )
        assert missing == []
        return [place.practitioner for place in places]

    def test_takes_who_sees_the_patient_first_for_their_discipline(self):
        assert self.chosen("rapid-access", seen_by="physiotherapist-2") == [
            "physiotherapist-2",
            "physiatrist",
        ]

    def test_takes_the_least_loaded_and_between_equals_the_first_of_the_clinic(self):
        workplace = "workplace-rehabilitation"
        assert "physiotherapist" in self.chosen(workplace, seen_by="physiatrist")
        loaded = {"physiotherapist": 2, "physiotherapist-2": 1}
        assert "physiotherapist-2" in self.chosen(workplace, seen_by="physiatrist", load=loaded)

    def test_has_one_person_for_each_of_five_disciplines(self):
        found = self.chosen("chronic-pain", seen_by="pain-physician")
        assert sorted(found) == [
            "occupational-therapist",
            "pain-physician",
            "physiatrist",
            "physiotherapist",
            "psychologist",
        ]

    def test_says_which_discipline_nobody_at_the_site_has(self):
        without = CLINIC.model_copy(
            update={"people": tuple(one for one in CLINIC.people if one.id != "psychologist")}
        )
        places, missing = teams.choose_members(
            without, without.programme("chronic-pain"), seen_by="pain-physician", load={}
        )
        assert missing == ["psychology"]
        assert len(places) == 4


class TestSuccessor:
    LEAVING = Place(practitioner="physiotherapist", discipline="physiotherapy")
    OTHER = Place(practitioner="psychologist", discipline="psychology")
    OWNER = Place(practitioner="physiatrist", discipline="physiatry")

    def test_is_the_newcomer_of_the_same_discipline(self):
        newcomer = Place(practitioner="physiotherapist-2", discipline="physiotherapy")
        heir = teams.successor(
            self.LEAVING, joining=[newcomer], staying=[self.OTHER, self.OWNER], owner="physiatrist"
        )
        assert heir == "physiotherapist-2"

    def test_is_the_plans_owner_where_nobody_comes(self):
        heir = teams.successor(
            self.LEAVING, joining=[], staying=[self.OTHER, self.OWNER], owner="physiatrist"
        )
        assert heir == "physiatrist"
