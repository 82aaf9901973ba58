"""The row scope of the live feed, entry by entry, for every party."""

from dataclasses import replace

import pytest

from services.notifications.rules.audiences import Parties
from services.notifications.rules.feed import FeedEntry, may_see
from services.notifications.states import Audience
from shared.auth.principal import PartyKind, Principal
from shared.auth.scopes import Scopes

ALL = tuple(Audience)
NO_SCOPES = Scopes.parse([])


def an_entry(*audiences: Audience) -> FeedEntry:
    return FeedEntry(
        id="e",
        type="authorization.decided",
        time="2026-03-02T12:00:00+00:00",
        text="The insurer decided the authorization.",
        focus="Claim/c",
        patient="p",
        referral="r",
        audiences=audiences,
        site="toronto",
        requester="family-practice",
        payer="workplace-insurer",
        claim="c",
        people=("psychologist",),
    )


def a_reader(party: PartyKind, **names: str) -> Principal:
    return Principal(client=names.pop("client", party), party=party, scopes=NO_SCOPES, **names)  # type: ignore[arg-type]


READERS = {
    "its referrer": a_reader("referrer", organization="family-practice"),
    "another referrer": a_reader("referrer", organization="second-practice"),
    "its insurer": a_reader("insurer", organization="workplace-insurer"),
    "another insurer": a_reader("insurer", organization="motor-insurer"),
    "its coordinator": a_reader("coordinator", site="toronto"),
    "another site's coordinator": a_reader("coordinator", site="ottawa", client="ottawa-desk"),
    "a member": a_reader("clinician", practitioner="physiatrist", site="toronto"),
    "somebody named": a_reader("clinician", practitioner="psychologist", site="toronto"),
    "another clinician": a_reader("clinician", practitioner="physiotherapist", site="toronto"),
    "the operator": a_reader("operator"),
    "the privacy officer": a_reader("privacy-officer"),
}
NOW = Parties(team=frozenset({"physiatrist"}), consented=True)


class TestMaySee:
    @pytest.mark.parametrize(
        ("audiences", "seen_by"),
        [
            (ALL, {"its referrer", "its insurer", "its coordinator", "a member", "somebody named"}),
            ((Audience.COORDINATOR, Audience.TEAM), {"its coordinator", "a member", "somebody named"}),
            ((Audience.REFERRER,), {"its referrer", "somebody named"}),
        ],
    )
    def test_holds_for_every_party(self, audiences: tuple[Audience, ...], seen_by: set[str]) -> None:
        entry = an_entry(*audiences)
        assert {name for name, reader in READERS.items() if may_see(entry, reader, NOW)} == seen_by

    def test_ends_for_a_member_who_left(self) -> None:
        without = replace(NOW, team=frozenset())
        assert not may_see(an_entry(*ALL), READERS["a member"], without)

    def test_ends_for_an_insurer_whose_consent_was_withdrawn(self) -> None:
        assert not may_see(an_entry(*ALL), READERS["its insurer"], replace(NOW, consented=False))

    def test_gives_an_alert_to_its_one_owner_only(self) -> None:
        alert = replace(an_entry(*ALL), only="coordinator")
        assert {name for name, reader in READERS.items() if may_see(alert, reader, NOW)} == {
            "its coordinator"
        }

    def test_shows_nothing_of_what_the_scope_is_decided_by(self) -> None:
        assert set(an_entry(*ALL).shown()) == {
            "id",
            "type",
            "time",
            "patient",
            "referral",
            "focus",
            "meeting",
            "text",
        }
