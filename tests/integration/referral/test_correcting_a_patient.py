"""A coordinator corrects what the clinic knows of a patient; services hear it, and no sender reads it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from shared.fhir.codes import CHANNEL_CONSENT_EXTENSION
from tests.integration.referral.doors import located, operate, send, told, work_of
from tests.integration.referral.test_one_person import merge, patient_operation, read
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.eventually import eventually
from tests.support.sql import sql

CARD = "7770001112"
CHART = {"system": "https://second-practice.example/chart", "value": "77"}
_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
HOME = {"telecom": [{"system": "phone", "value": "+1-416-555-0101"}]}
MOBILE = [{"system": "phone", "value": "+1-416-555-0202", "use": "mobile"}]
OLD = [{"system": "phone", "value": "+1-416-555-0101", "use": "old"}]
MOVED = {"telecom": MOBILE, "address": [{"line": ["2 New Street"], "city": "Toronto"}]}


def about(patient: dict[str, Any] | None = None, **bundle: Any) -> dict[str, Any]:
    sent = referrals.bundle(**{"health_card": CARD, **bundle})
    referrals.resource(sent, "Patient").update(HOME if patient is None else patient)
    return sent


def consent(
    channel: str | dict[str, Any] = "sms", *, permitted: Any = True, on: str = "2026-03-01"
) -> dict[str, Any]:
    said = {"valueCode": channel} if isinstance(channel, str) else channel
    parts = [
        {"url": "channel", **said},
        {"url": "permitted", "valueBoolean": permitted},
        {"url": "date", "valueDate": on},
    ]
    return {"url": CHANNEL_CONSENT_EXTENSION, "extension": parts}


def in_words(part: str, text: str) -> dict[str, Any]:
    """Make a consent of which one part is in words, and no code."""
    parts = [{"url": part, "valueCodeableConcept": {"text": text}}]
    return {"url": CHANNEL_CONSENT_EXTENSION, "extension": parts}


def recorded(patient: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the consents of a Patient as plain values."""
    return [
        {
            part["url"]: next(value for name, value in part.items() if name != "url")
            for part in extension["extension"]
        }
        for extension in patient.get("extension", [])
        if extension["url"] == CHANNEL_CONSENT_EXTENSION
    ]


async def put(
    clinic: TestClinic, body: dict[str, Any], *, as_: str = "coordinator", match: str | None = None
) -> httpx.Response:
    version = match or f'W/"{body["meta"]["versionId"]}"'
    path = f"/referral/fhir/Patient/{body['id']}"
    return await clinic.as_(as_).put(path, json=body, headers={"If-Match": version} if version else {})


async def correct(clinic: TestClinic, patient: str, **members: Any) -> dict[str, Any]:
    answer = await put(clinic, await read(clinic, patient) | members)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def first(clinic: TestClinic, **bundle: Any) -> str:
    return located(await send(clinic, about(**bundle)), "Patient")


async def offered(clinic: TestClinic) -> list[dict[str, Any]]:
    return await work_of(clinic, "coordinator", "code=update-patient&status=requested")


async def changes_told(clinic: TestClinic) -> list[dict[str, Any]]:
    await clinic.settle()
    return [event.focus for event in await clinic.events("patient.changed")]


def by_chart(members: dict[str, Any], **bundle: Any) -> dict[str, Any]:
    """Send the patient with the chart number of the second practice, which the clinic's own row lacks."""
    sent = about(members, **bundle)
    referrals.resource(sent, "Patient")["identifier"] = [CHART]
    return sent


async def known_by_its_chart(clinic: TestClinic) -> None:
    """Let the second practice say that the patient has its chart number too."""
    sent = about(HOME, programme="workplace-rehabilitation")
    referrals.resource(sent, "Patient")["identifier"].append(CHART)
    assert (await send(clinic, sent, as_="second-practice")).status_code == 200


async def crossed(clinic: TestClinic, call: Awaitable[httpx.Response]) -> tuple[httpx.Response, str]:
    """Let a call wait for the locks of referrals while another one of the patient comes; give both."""
    database = clinic.databases["referral"]
    async with database.transaction() as tx:
        await sql(tx, "SELECT id FROM referral FOR UPDATE")
        calling = asyncio.ensure_future(call)
        await eventually(lambda: database.fetch(_WAITING))
        sent = await send(clinic, by_chart(MOVED, programme="chronic-pain"), as_="second-practice")
        assert not calling.done()
    return await calling, located(sent)


class TestACorrection:
    async def test_is_the_clinics_own_and_no_senders_to_read(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        name = [{"family": "Abernathy-Reid", "given": ["Noor"]}]
        support = [{"name": {"family": "Reid"}, "relationship": [{"text": "husband"}]}]
        seen = await correct(clinic, patient, name=name, contact=support, birthDate="1980-05-18", **MOVED)
        assert (seen["name"], seen["contact"], seen["birthDate"]) == (name, support, "1980-05-18")
        assert seen["meta"]["versionId"] == "2"
        of_sender = await read(clinic, patient, as_="family-practice")
        assert (of_sender["telecom"], of_sender["birthDate"]) == (HOME["telecom"], "1980-05-17")
        assert of_sender["meta"]["versionId"] == "1"
        found = await clinic.as_("coordinator").get("/referral/fhir/Patient?family=abernathy-reid")
        assert [entry["resource"]["id"] for entry in found.json()["entry"]] == [patient]

    async def test_says_who_corrected_what_and_from_which_version(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        await correct(clinic, patient, **MOVED)
        found = await clinic.as_("coordinator").get(f"/referral/fhir/Provenance?patient={patient}")
        [said] = [
            entry["resource"]
            for entry in found.json()["entry"]
            if entry["resource"]["target"][0]["reference"].startswith("Patient/")
        ]
        assert said["target"][0]["reference"] == f"Patient/{patient}/_history/2"
        assert said["entity"][0]["what"]["reference"] == f"Patient/{patient}/_history/1"
        assert said["activity"]["text"] == "Patient.telecom, Patient.address"
        assert "coordinator" in said["agent"][0]["who"]["reference"]
        of_sender = await clinic.as_("family-practice").get(f"/referral/fhir/Provenance?patient={patient}")
        targets = [entry["resource"]["target"][0]["reference"] for entry in of_sender.json()["entry"]]
        assert not any(target.startswith("Patient/") for target in targets)

    async def test_is_published_with_all_that_services_need(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        spoken = [{"language": {"coding": [{"code": "fr"}]}, "preferred": True}]
        await correct(clinic, patient, communication=spoken, extension=[consent()], **MOVED)
        [changed] = await changes_told(clinic)
        assert (changed["telecom"], changed["communication"]) == (MOBILE, spoken)
        assert (changed["name"][0]["family"], changed["birthDate"]) == ("Abernathy", "1980-05-17")
        assert recorded(changed)[0]["channel"] == "sms"

    async def test_that_changes_nothing_writes_nothing(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        seen = await correct(clinic, patient)
        assert seen["meta"]["versionId"] == "1"
        assert "patient.changed" not in await told(clinic)

    async def test_stands_in_the_audit(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        await correct(clinic, patient, **MOVED)
        found = await clinic.as_("privacy-officer").get(f"/referral/fhir/AuditEvent?patient={patient}")
        updates = [
            entry["resource"]
            for entry in found.json()["entry"]
            if entry["resource"].get("subtype", [{}])[0].get("code") == "update"
        ]
        assert len(updates) == 1

    async def test_needs_the_newest_version(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        body = await read(clinic, patient)
        missing = await clinic.as_("coordinator").put(f"/referral/fhir/Patient/{patient}", json=body | MOVED)
        assert missing.status_code in (422, 428)
        await correct(clinic, patient, **MOVED)
        stale = await put(clinic, body | {"gender": "female"})
        assert stale.status_code == 412
        assert "gender" not in await read(clinic, patient)

    async def test_of_two_at_once_is_one_and_the_other_is_told_so(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        body = await read(clinic, patient)
        wanted = [
            body | {"telecom": [{"system": "phone", "value": f"+1-416-555-09{n:02}"}]} for n in range(6)
        ]
        answers = await asyncio.gather(*(put(clinic, one) for one in wanted))
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
        [won] = [answer.json() for answer in answers if answer.status_code == 200]
        assert (await read(clinic, patient))["telecom"] == won["telecom"]
        assert len(await changes_told(clinic)) == 1

    async def test_crosses_what_a_sender_says_and_neither_is_lost(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        body = await read(clinic, patient)
        corrected, sent = await asyncio.gather(
            put(clinic, body | {"gender": "female"}),
            send(clinic, about(MOVED, programme="chronic-pain"), as_="second-practice"),
        )
        assert located(sent, "Patient") == patient
        assert corrected.status_code in (200, 412), corrected.text
        assert (await read(clinic, patient, as_="second-practice"))["telecom"] == MOBILE
        assert len(await offered(clinic)) == 1

    @pytest.mark.parametrize("who", ["family-practice", "physiatrist", "workplace-insurer", "operator"])
    async def test_is_the_coordinators_alone(self, clinic: TestClinic, who: str) -> None:
        patient = await first(clinic)
        answer = await put(clinic, await read(clinic, patient) | MOVED, as_=who)
        assert answer.status_code == 403

    async def test_of_nobody_is_not_found(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        nobody = "00000000-0000-4000-8000-000000000000"
        answer = await put(clinic, await read(clinic, patient) | {"id": nobody})
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        ("members", "element", "allowed"),
        [
            ({"active": False}, "Patient.active", "$merge"),
            ({"link": [{"other": {"display": "x"}, "type": "seealso"}]}, "Patient.link", "$unmerge"),
            ({"deceasedBoolean": True}, "Patient.deceasedBoolean", "$provide-information"),
            ({"deceasedDateTime": "2026-03-01"}, "Patient.deceasedDateTime", "$provide-information"),
            ({"name": None}, "Patient.name", "whole Patient"),
            ({"birthDate": None}, "Patient.birthDate", "whole Patient"),
            ({"identifier": []}, "Patient.identifier", "`use` old"),
            ({"extension": [consent("fax")]}, "Patient.extension[0]", "email, sms, voicemail"),
            (
                {"extension": [consent({"valueCoding": {"code": "sms"}})]},
                "Patient.extension[0]",
                "email, sms",
            ),
            ({"extension": [consent(on="2026-03-03")]}, "Patient.extension[0]", "at the latest today"),
            ({"extension": [consent(on="2026")]}, "Patient.extension[0]", "which day"),
            ({"extension": [consent(), consent()]}, "Patient.extension[1]", "one consent to sms"),
            (
                {"extension": [in_words("channel", "sms")]},
                "Patient.extension[0]",
                "email, sms, voicemail",
            ),
        ],
    )
    async def test_refuses_what_is_not_its_to_change_and_writes_nothing(
        self, clinic: TestClinic, members: dict[str, Any], element: str, allowed: str
    ) -> None:
        patient = await first(clinic)
        body = await read(clinic, patient) | members
        answer = await put(clinic, {name: value for name, value in body.items() if value not in (None, [])})
        assert answer.status_code == 422, answer.text
        [issue] = answer.json()["issue"]
        assert issue["expression"] == [element]
        assert allowed in issue["details"]["text"]
        assert (await read(clinic, patient))["meta"]["versionId"] == "1"
        assert "patient.changed" not in await told(clinic)

    async def test_names_the_same_patient_in_body_and_address(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        body = await read(clinic, patient)
        answer = await clinic.as_("coordinator").put(
            f"/referral/fhir/Patient/{patient}",
            json=body | {"id": "another"},
            headers={"If-Match": 'W/"1"'},
        )
        assert answer.status_code == 422
        assert answer.json()["issue"][0]["expression"] == ["Patient.id"]

    async def test_of_a_record_that_was_merged_names_the_one_that_goes_on(self, clinic: TestClinic) -> None:
        goes_on = await first(clinic)
        misspelt = about({"name": [{"family": "Abernaty", "given": ["Noor"]}]})
        merged = located(await send(clinic, misspelt, as_="second-practice"), "Patient")
        assert (await merge(clinic, merged, goes_on)).status_code == 200
        answer = await put(clinic, await read(clinic, merged) | MOVED)
        assert answer.status_code == 409
        assert goes_on in answer.text
        assert (await correct(clinic, goes_on, **MOVED))["link"][0]["type"] == "replaces"


class TestAReferralThatComesMeanwhile:
    """It comes between the look at what is concerned and the locks, under an identifier that nobody holds."""

    async def test_is_not_passed_over_by_a_correction(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        await known_by_its_chart(clinic)
        body = await read(clinic, patient)
        corrected, _ = await crossed(clinic, put(clinic, body | MOVED))
        assert (corrected.status_code, "came at this moment" in corrected.text) == (409, True)
        seen = await read(clinic, patient)
        assert seen["telecom"] == HOME["telecom"]
        assert seen["meta"]["versionId"] == "1"
        assert any("Patient.telecom" in work["statusReason"]["text"] for work in await offered(clinic)), (
            "the new referral offers what its sender says"
        )
        assert (await put(clinic, body | MOVED)).status_code == 200
        for work in await offered(clinic):
            assert "telecom" not in work["contained"][0], "what was taken over is offered no more"

    async def test_is_not_passed_over_by_a_merge(self, clinic: TestClinic) -> None:
        goes_on = await first(clinic)
        misspelt = {"name": [{"family": "Abernaty", "given": ["Noor"]}], **HOME}
        sent = about(misspelt, programme="chronic-pain")
        other = located(await send(clinic, sent, as_="second-practice"), "Patient")
        await known_by_its_chart(clinic)
        merged, referral = await crossed(clinic, merge(clinic, other, goes_on))
        assert (merged.status_code, "came at this moment" in merged.text) == (409, True)
        assert "link" not in await read(clinic, goes_on)
        assert (await merge(clinic, other, goes_on)).status_code == 200
        asked = await work_of(clinic, "coordinator", "code=merge-duplicate&status=requested")
        assert f"ServiceRequest/{referral}" in {work["focus"]["reference"] for work in asked}

    async def test_is_not_passed_over_where_a_merge_is_taken_back(self, clinic: TestClinic) -> None:
        goes_on = await first(clinic)
        misspelt = about({"name": [{"family": "Abernaty", "given": ["Noor"]}], **HOME})
        other = located(await send(clinic, misspelt, as_="second-practice"), "Patient")
        await known_by_its_chart(clinic)
        assert (await merge(clinic, other, goes_on)).status_code == 200
        why = {"reason": "Two people"}
        undone, referral = await crossed(clinic, patient_operation(clinic, other, "unmerge", **why))
        assert (undone.status_code, "came at this moment" in undone.text) == (409, True)
        assert (await patient_operation(clinic, other, "unmerge", **why)).status_code == 200
        asked = await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
        assert f"ServiceRequest/{referral}" in {work["focus"]["reference"] for work in asked}


class TestAnIdentifier:
    async def test_is_added_and_the_patient_is_found_by_it(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        body = await read(clinic, patient)
        chart = {"system": "https://harbour-spine.example/chart", "value": "12"}
        await correct(clinic, patient, identifier=[*body["identifier"], chart])
        found = await clinic.as_("coordinator").get(
            f"/referral/fhir/Patient?identifier={chart['system']}|{chart['value']}"
        )
        assert [entry["resource"]["id"] for entry in found.json()["entry"]] == [patient]

    async def test_of_somebody_else_asks_who_the_patient_is(self, clinic: TestClinic) -> None:
        other = await first(clinic, family="Somebody")
        patient = await first(clinic, health_card="1112223334")
        body = await read(clinic, patient)
        theirs = (await read(clinic, other))["identifier"]
        await correct(clinic, patient, identifier=[*body["identifier"], *theirs])
        [work] = await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
        assert work["for"]["reference"] == f"Patient/{patient}"
        assert [one["valueReference"]["reference"] for one in work["input"]] == [f"Patient/{other}"]
        assert "referral.patient-review-needed" in await told(clinic)

    async def test_that_is_added_while_another_person_comes_with_it_asks_too(
        self, clinic: TestClinic
    ) -> None:
        patient = await first(clinic, health_card="1112223334")
        body = await read(clinic, patient)
        card = {"system": referrals.HEALTH_CARD, "value": CARD}
        corrected, _ = await asyncio.gather(
            put(clinic, body | {"identifier": [*body["identifier"], card]}),
            send(clinic, about(family="Somebody"), as_="second-practice"),
        )
        assert corrected.status_code == 200, corrected.text
        assert len(await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")) == 1

    async def test_that_is_added_waits_for_who_comes_with_it_now(self, clinic: TestClinic) -> None:
        patient = await first(clinic, health_card="1112223334")
        body = await read(clinic, patient)
        card = {"system": referrals.HEALTH_CARD, "value": CARD}
        wanted = put(clinic, body | {"identifier": [*body["identifier"], card]})
        async with clinic.databases["referral"].transaction() as tx:
            await tx.lock_names([f"{referrals.HEALTH_CARD}|{CARD}"])
            correcting = asyncio.create_task(wanted)
            done, _ = await asyncio.wait([correcting], timeout=3)
            assert not done
        assert (await correcting).status_code == 200

    async def test_that_is_ended_still_finds_the_person_and_is_not_offered_again(
        self, clinic: TestClinic
    ) -> None:
        patient = await first(clinic)
        body = await read(clinic, patient)
        ended = [part | {"use": "old"} for part in body["identifier"]]
        renewed = {"system": referrals.HEALTH_CARD, "value": "1112223334"}
        await correct(clinic, patient, identifier=[*ended, renewed])
        for card, sender in ((CARD, "second-practice"), ("1112223334", "family-practice")):
            again = about(health_card=card, programme="chronic-pain")
            assert located(await send(clinic, again, as_=sender), "Patient") == patient
        assert not await offered(clinic)


class TestWhatIsOffered:
    async def test_is_taken_over_and_its_task_ends(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        await send(clinic, about(MOVED, programme="chronic-pain"), as_="second-practice")
        [work] = await offered(clinic)
        said = work["contained"][0]
        await correct(clinic, patient, telecom=[*OLD, *said["telecom"]], address=said["address"])
        assert not await offered(clinic)
        [done] = await work_of(clinic, "coordinator", "code=update-patient&status=completed")
        assert "says all of it" in done["statusReason"]["text"]

    async def test_goes_on_with_what_is_left(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        await send(clinic, about(MOVED, programme="chronic-pain"), as_="second-practice")
        await correct(clinic, patient, telecom=MOBILE)
        [work] = await offered(clinic)
        assert work["contained"][0].keys() == {"resourceType", "id", "address"}
        assert "Patient.telecom" not in work["statusReason"]["text"]
        heard = await told(clinic)
        assert heard.count("referral.patient-review-needed") == 1, "nobody is told of less work"

    async def test_by_several_ends_with_each(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        await send(clinic, about(MOVED, programme="chronic-pain"), as_="second-practice")
        await send(clinic, about(HOME | {"gender": "female"}, programme="chronic-pain", identifier="x"))
        assert len(await offered(clinic)) == 2
        await correct(clinic, patient, gender="female")
        [left] = await offered(clinic)
        assert "telecom" in left["contained"][0]

    async def test_outlives_nothing_that_is_over(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        referral = located(await send(clinic, about(MOVED, programme="chronic-pain")))
        await operate(clinic, "family-practice", referral, "revoke", reason="sent twice")
        await correct(clinic, patient, **MOVED)
        assert not await offered(clinic)

    async def test_of_a_merged_record_is_taken_over_by_the_one_that_goes_on(self, clinic: TestClinic) -> None:
        goes_on = await first(clinic)
        misspelt = about({"name": [{"family": "Abernaty", "given": ["Noor"]}], **MOVED})
        merged = located(await send(clinic, misspelt, as_="second-practice"), "Patient")
        await merge(clinic, merged, goes_on)
        [work] = await offered(clinic)
        said = work["contained"][0]
        await correct(clinic, goes_on, **{name: said[name] for name in ("name", "telecom", "address")})
        assert not await offered(clinic)


class TestAConsentToAChannel:
    async def test_is_recorded_with_who_and_when(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        seen = await correct(
            clinic, patient, extension=[consent("email"), consent("voicemail", permitted=False)]
        )
        [email, voicemail] = recorded(seen)
        assert (email["permitted"], voicemail["permitted"]) == (True, False)
        assert "coordinator" in email["recorder"]["reference"]
        assert email["recorded"].startswith("2026-03-02T")

    async def test_keeps_its_recorder_until_the_patient_says_otherwise(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        before = recorded(await correct(clinic, patient, extension=[consent("email")]))
        await clinic.days(1)
        assert recorded(await correct(clinic, patient, gender="female")) == before
        withdrawn = await correct(
            clinic, patient, extension=[consent("email", permitted=False, on="2026-03-03")]
        )
        [said] = recorded(withdrawn)
        assert (said["permitted"], said["recorded"][:10]) == (False, "2026-03-03")

    async def test_that_a_sender_wrote_is_no_consent_of_the_clinics(self, clinic: TestClinic) -> None:
        forged = HOME | {"extension": [consent("email")]}
        patient = await first(clinic)
        await send(clinic, about(forged, programme="chronic-pain"), as_="second-practice")
        other = located(await send(clinic, about(forged, health_card="1112223334")), "Patient")
        await operate_merge(clinic, patient, other)
        for changed in await changes_told(clinic):
            assert recorded(changed) == []

    async def test_that_a_sender_wrote_is_none_after_another_member_was_corrected(
        self, clinic: TestClinic
    ) -> None:
        patient = located(await send(clinic, about(HOME | {"extension": [consent("email")]})), "Patient")
        assert recorded(await read(clinic, patient)), "the coordinator reads the first sender's own words"
        assert recorded(await correct(clinic, patient, gender="female")) == []
        [changed] = await changes_told(clinic)
        assert recorded(changed) == []
        [said] = recorded(await correct(clinic, patient, extension=[consent("email")]))
        assert "coordinator" in said["recorder"]["reference"]

    async def test_does_not_grow_by_what_the_caller_says_of_the_recorder(self, clinic: TestClinic) -> None:
        patient = await first(clinic)
        claimed = consent("email")
        claimed["extension"].append({"url": "recorder", "valueReference": {"reference": "Device/somebody"}})
        seen = await correct(clinic, patient, extension=[claimed])
        assert "coordinator" in recorded(seen)[0]["recorder"]["reference"]


async def operate_merge(clinic: TestClinic, patient: str, other: str) -> None:
    """Merge two records, so that both are published as the clinic keeps them."""
    assert (await merge(clinic, other, patient)).status_code == 200
    await clinic.settle()
