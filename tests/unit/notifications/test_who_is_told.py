"""The table of who is told what: complete, and without a clinical word."""

import re
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from services.notifications import rules, texts, texts_fr
from services.notifications.rules.audiences import Parties, address, messages, still_wanted
from services.notifications.rules.routing import NOTIFICATION_ROUTES as ROUTES
from services.notifications.rules.routing import PATIENT_ANSWERS, TELLS_NOBODY, UNDELIVERABLE_TEXT
from services.notifications.states import Audience, Channel
from services.notifications.worker import handler_table
from shared.clinic import Clinic, load_clinic
from shared.events.catalog import CATALOG
from shared.events.topics import CARETEAM, REFERRAL, SCHEDULING

CLINICAL = (
    "pain|back|spine|spinal|lumbar|disc|nerve|cauda|equina|emergenc|urgent|red flag|flag|diagnos|symptom"
    "|injur|rehab|therap|physi|psych|occupational|medic|clinical|treat|assess|session|program|chronic|acute|score"
    "|oswestry|nprs|outcome|scale|flare|surg|imaging|mri|disab|worker|motor|vehicle|rapid|access"
)
OPAQUE = UUID("01998f00-0000-7000-8000-000000000001")


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    return load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")


def everybody() -> Parties:
    return Parties(
        site="toronto",
        requester="family-practice",
        team=frozenset({"physiatrist", "psychologist"}),
        payer="workplace-insurer",
        consented=True,
        owner="Practitioner/psychologist",
        participants=frozenset({"physiatrist"}),
    )


class TestTheTable:
    def test_has_a_row_for_every_event_or_says_that_it_tells_nobody(self) -> None:
        assert set(ROUTES) | TELLS_NOBODY | set(PATIENT_ANSWERS) == set(CATALOG)

    def test_tells_somebody_in_every_row(self) -> None:
        assert all(route.feed for route in ROUTES.values())

    def test_shows_whoever_gets_an_email_the_same_in_the_feed(self) -> None:
        assert not [name for name, route in ROUTES.items() if not set(route.email) <= set(route.feed)]

    def test_tells_an_insurer_of_authorizations_only(self) -> None:
        heard = [name for name, route in ROUTES.items() if Audience.INSURER in route.feed + route.email]
        assert heard
        assert all(name.startswith("authorization.") for name in heard)

    def test_lets_the_coordinator_see_everything_in_the_feed(self) -> None:
        assert all(Audience.COORDINATOR in route.feed for route in ROUTES.values())


class TestEveryText:
    def test_has_no_clinical_word(self, clinic: Clinic) -> None:
        said = [route.text for route in ROUTES.values()] + [UNDELIVERABLE_TEXT, *texts.REASONS.values()]
        for urgent in (True, False):
            written = rules.mail.mail(OPAQUE, urgent=urgent, clinic=clinic, base_url="https://news.example")
            said += [written.subject, written.body]
        found = [(text, word) for text in said for word in re.findall(rf"\b(?:{CLINICAL})", text.lower())]
        assert found == []

    def test_of_an_email_says_where_to_sign_in_and_an_opaque_reference(self, clinic: Clinic) -> None:
        written = rules.mail.mail(OPAQUE, urgent=False, clinic=clinic, base_url="https://news.example")
        assert "https://news.example" in written.body
        assert str(OPAQUE) in written.body

    def test_of_an_email_has_neither_clinic_nor_person_nor_programme(self, clinic: Clinic) -> None:
        written = rules.mail.mail(OPAQUE, urgent=True, clinic=clinic, base_url="https://news.example")
        named = [clinic.name, *(known.name for known in (*clinic.sites, *clinic.programmes, *clinic.payers))]
        named += [person.family for person in clinic.people]
        assert not [name for name in named if name in written.subject + written.body]

    def test_of_one_notification_has_one_message_id(self, clinic: Clinic) -> None:
        urgent_mail, mail = (
            rules.mail.mail(OPAQUE, urgent=urgent, clinic=clinic, base_url="https://x.example")
            for urgent in (True, False)
        )
        assert urgent_mail.message_id == mail.message_id == f"<{OPAQUE}@harbour-spine.example>"


class TestMessages:
    def test_reach_referrer_and_coordinator_of_a_decision(self, clinic: Clinic) -> None:
        found = messages(ROUTES["authorization.decided"], everybody(), clinic=clinic, first=True)
        assert [(message.recipient, message.audience) for message in found] == [
            ("Device/coordinator", Audience.COORDINATOR),
            ("Organization/family-practice", Audience.REFERRER),
        ]

    def test_reach_the_owner_of_an_action_once(self, clinic: Clinic) -> None:
        found = messages(ROUTES["action.assigned"], everybody(), clinic=clinic, first=True)
        assert [message.recipient for message in found] == ["Practitioner/psychologist"]

    def test_reach_the_coordinators_where_the_clinic_owns_the_task(self, clinic: Clinic) -> None:
        owned = Parties(site="toronto", owner="Organization/harbour-spine")
        found = messages(ROUTES["action.assigned"], owned, clinic=clinic, first=True)
        assert [message.recipient for message in found] == ["Device/coordinator"]

    def test_are_not_sent_for_single_sessions(self, clinic: Clinic) -> None:
        assert messages(ROUTES["appointment.missed"], everybody(), clinic=clinic, first=False) == []

    def test_do_not_reach_an_insurer_without_consent(self, clinic: Clinic) -> None:
        refused = Parties(site="toronto", payer="workplace-insurer", consented=False)
        assert messages(ROUTES["authorization.requested"], refused, clinic=clinic, first=True) == []

    def test_are_one_for_each_recipient_and_channel(self, clinic: Clinic) -> None:
        for route in ROUTES.values():
            found = messages(route, everybody(), clinic=clinic, first=True)
            keys = [(message.recipient, message.channel) for message in found]
            assert len(keys) == len(set(keys))
            assert {channel for _, channel in keys} <= {Channel.EMAIL}


class TestAtSendTime:
    def test_a_member_who_left_is_not_told(self) -> None:
        left = Parties(team=frozenset({"physiatrist"}))
        assert still_wanted(Audience.TEAM, "Practitioner/psychologist", left) is rules.delivery.LEFT_TEAM
        assert still_wanted(Audience.TEAM, "Practitioner/physiatrist", left) is None

    def test_an_insurer_whose_consent_ended_is_not_told(self) -> None:
        assert still_wanted(Audience.INSURER, "Organization/x", Parties()) is rules.delivery.NO_CONSENT
        assert still_wanted(Audience.INSURER, "Organization/x", Parties(consented=True)) is None

    def test_a_referrer_is_always_told(self) -> None:
        assert still_wanted(Audience.REFERRER, "Organization/family-practice", Parties()) is None


class TestMessagesToPatients:
    @pytest.mark.parametrize("words", [texts.TO_PATIENTS, texts_fr.TO_PATIENTS])
    def test_say_nothing_clinical_in_either_language(self, words: dict[str, str]) -> None:
        assert not [text for text in words.values() if re.search(CLINICAL, text, re.IGNORECASE)]

    def test_have_the_same_words_in_both_languages(self) -> None:
        assert texts.TO_PATIENTS.keys() == texts_fr.TO_PATIENTS.keys()


class TestAddresses:
    @pytest.mark.parametrize(
        ("recipient", "expected"),
        [
            ("Organization/family-practice", "referrals@family-practice.example"),
            ("Organization/motor-insurer", "claims@motor-insurer.example"),
            ("Practitioner/pain-physician", "pain-physician@harbour-spine.example"),
            ("Device/coordinator", "coordinator@harbour-spine.example"),
            ("Organization/nobody", None),
        ],
    )
    def test_come_from_the_clinic(self, clinic: Clinic, recipient: str, expected: str | None) -> None:
        assert address(recipient, clinic=clinic) == expected


def test_every_event_that_can_cause_another_is_heard_or_what_it_causes_waits_for_ever() -> None:
    runtime = SimpleNamespace(smtp_url=None, sms_url=None)
    heard = set(handler_table(runtime))  # type: ignore[arg-type]
    caused_by = {name for name, event in CATALOG.items() if event.topic in (REFERRAL, SCHEDULING, CARETEAM)}
    assert caused_by <= heard
