"""Binary: what a sender uploads in its own form, who reads it, and what may name it."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.referral.api import attachments as api
from services.referral.use_cases import upload as uploading
from tests.integration.referral.doors import located, operate, send
from tests.integration.referral.test_what_a_team_reads import OF_NO_TEAM, TEAM, form_team
from tests.support.attachments import FILES, PDF, bundle_with, document
from tests.support.clinic import TestClinic
from tests.support.referrals import HEALTH_CARD

BINARY = "/referral/fhir/Binary"
SHA1 = b64encode(hashlib.sha1(PDF, usedforsecurity=False).digest()).decode()


async def upload(
    clinic: TestClinic,
    content: bytes = PDF,
    *,
    kind: str = "application/pdf",
    by: str = "family-practice",
    **headers: str,
) -> str:
    """Upload an attachment and give its id."""
    answer = await clinic.as_(by).post(BINARY, content=content, headers={"content-type": kind, **headers})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def kept(clinic: TestClinic) -> tuple[int, int]:
    """Count attachments and their pieces."""
    database = clinic.databases["referral"]
    [row] = await database.fetch(
        "SELECT (SELECT count(*) FROM attachment) AS rows, (SELECT count(*) FROM attachment_piece) AS pieces"
    )
    return row["rows"], row["pieces"]


async def sent_with(clinic: TestClinic, *resources: dict[str, Any], **changed: Any) -> dict[str, str]:
    """Send a referral with these resources; give the newest id of each type."""
    answer = await send(clinic, bundle_with(*resources, **changed))
    assert answer.status_code == 200, answer.text
    places = [entry["response"]["location"].split("/") for entry in answer.json()["entry"]]
    return {kind: key for kind, key, *_ in places}


def wrong(answer: httpx.Response) -> list[str]:
    return [place for issue in answer.json()["issue"] for place in issue.get("expression", [])]


class TestUpload:
    @pytest.mark.parametrize("kind", FILES)
    async def test_each_form_is_kept_and_given_back_byte_by_byte(self, clinic: TestClinic, kind: str) -> None:
        content = FILES[kind]
        key = await upload(clinic, content, kind=kind)
        answer = await clinic.as_("family-practice").get(f"{BINARY}/{key}")
        assert (answer.status_code, answer.content) == (200, content)
        own = {"text/rtf": "application/rtf", "application/xml": "text/xml"}.get(kind, kind)
        assert answer.headers["content-type"] == own

    async def test_the_answer_says_where_it_is_and_holds_no_data(self, clinic: TestClinic) -> None:
        client = clinic.as_("family-practice")
        answer = await client.post(BINARY, content=PDF, headers={"content-type": "application/pdf"})
        told = answer.json()
        assert (told["resourceType"], told["contentType"], "data" in told) == (
            "Binary",
            "application/pdf",
            False,
        )
        assert answer.headers["location"].endswith(f"/referral/fhir/Binary/{told['id']}/_history/1")
        assert (await client.get(answer.headers["location"])).content == PDF
        assert (await client.get(f"{BINARY}/{told['id']}/_history/2")).status_code == 404

    @pytest.mark.parametrize(
        "kind",
        [
            "text/html",
            "image/svg+xml",
            "application/javascript",
            "application/xhtml+xml",
            "application/zip",
            "application/octet-stream",
            "multipart/form-data; boundary=x",
            "image/gif",
            "",
        ],
    )
    async def test_a_form_that_is_not_on_the_list_is_415_and_the_list_is_told(
        self, clinic: TestClinic, kind: str
    ) -> None:
        headers = {"content-type": kind}
        answer = await clinic.as_("family-practice").post(BINARY, content=b"<svg/>", headers=headers)
        assert answer.status_code == 415, answer.text
        said = kind or "what has no content type"
        assert f"{said} is not kept; allowed are application/pdf, image/jpeg" in answer.text
        assert await kept(clinic) == (0, 0)

    @pytest.mark.parametrize(
        ("kind", "content"),
        [
            ("application/pdf", b"\x89PNG\r\n\x1a\n" + bytes(20)),
            ("image/png", PDF),
            ("image/jpeg", b"GIF89a" + bytes(20)),
            ("application/dicom", bytes(200)),
            ("text/xml", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
            ("text/xml", b'<!DOCTYPE x [<!ENTITY a "b">]><ClinicalDocument/>'),
            ("text/xml", b"<!---->" * 1100 + b"<html/>"),
            ("text/plain", b"<html><script>alert(1)</script></html>"),
            ("text/plain", b"\n <!-- x --> <svg onload='a()'/>"),
            ("text/plain", PDF),
            ("text/plain", b"no text \0 at all"),
            ("text/plain", b"a" * 300_000 + b"\x01"),
            ("application/pdf", b"<html>%PDF-</html>"),
        ],
    )
    async def test_bytes_that_are_not_what_they_say_are_422_and_leave_nothing(
        self, clinic: TestClinic, kind: str, content: bytes
    ) -> None:
        answer = await clinic.as_("family-practice").post(
            BINARY, content=content, headers={"content-type": kind}
        )
        assert (answer.status_code, wrong(answer)) == (422, ["Binary.contentType"])
        assert await kept(clinic) == (0, 0)

    async def test_more_than_20_mb_are_refused_before_they_are_read(self, clinic: TestClinic) -> None:
        read = 0

        async def content() -> AsyncIterator[bytes]:
            nonlocal read
            read += 1
            yield PDF

        headers = {"content-type": "application/pdf", "content-length": str(api.LARGEST + 1)}
        answer = await clinic.as_("family-practice").post(BINARY, content=content(), headers=headers)
        assert (answer.status_code, "20 MB" in answer.text, read) == (413, True, 0)

    async def test_more_than_20_mb_of_unannounced_length_are_counted_and_leave_nothing(
        self, clinic: TestClinic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api, "LARGEST", 600_000)

        async def content() -> AsyncIterator[bytes]:
            yield PDF
            for _ in range(10):
                yield bytes(65_536)

        answer = await clinic.as_("family-practice").post(
            BINARY, content=content(), headers={"content-type": "application/pdf"}
        )
        assert answer.status_code == 413
        assert await kept(clinic) == (0, 0)

    async def test_an_empty_body_and_a_packed_one_are_refused(self, clinic: TestClinic) -> None:
        client = clinic.as_("family-practice")
        headers = {"content-type": "application/pdf"}
        assert (await client.post(BINARY, content=b"", headers=headers)).status_code == 422
        packed = headers | {"content-encoding": "gzip"}
        assert (await client.post(BINARY, content=PDF, headers=packed)).status_code == 415
        assert await kept(clinic) == (0, 0)

    async def test_what_is_long_is_kept_in_pieces(self, clinic: TestClinic) -> None:
        content = PDF + bytes(range(256)) * 4000
        key = await upload(clinic, content)
        assert await kept(clinic) == (1, -(-len(content) // uploading.PIECE))
        assert (await clinic.as_("family-practice").get(f"{BINARY}/{key}")).content == content

    async def test_the_same_key_gives_the_same_binary_and_other_bytes_are_refused(
        self, clinic: TestClinic
    ) -> None:
        key = {"idempotency-key": str(uuid4())}
        assert await upload(clinic, **key) == await upload(clinic, **key)
        assert (await kept(clinic))[0] == 1
        answer = await clinic.as_("family-practice").post(
            BINARY, content=PDF + b"more", headers={"content-type": "application/pdf", **key}
        )
        assert answer.status_code == 422
        assert (await kept(clinic))[0] == 1

    async def test_the_same_key_about_somebody_else_is_refused(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, bundle_with()))
        key = {"idempotency-key": str(uuid4())}
        await upload(clinic, **key)
        headers = {
            "content-type": "application/pdf",
            "x-security-context": f"ServiceRequest/{referral}",
            **key,
        }
        answer = await clinic.as_("family-practice").post(BINARY, content=PDF, headers=headers)
        assert answer.status_code == 422
        assert (await kept(clinic))[0] == 1

    async def test_ten_at_once_with_one_key_make_one(self, clinic: TestClinic) -> None:
        headers = {"content-type": "application/pdf", "idempotency-key": str(uuid4())}
        client = clinic.as_("family-practice")
        answers = await asyncio.gather(
            *(client.post(BINARY, content=PDF, headers=headers) for _ in range(10))
        )
        assert {answer.status_code for answer in answers} <= {201, 429}
        assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
        assert (await kept(clinic))[0] == 1

    async def test_as_fhir_json_it_is_the_same(self, clinic: TestClinic) -> None:
        client = clinic.as_("family-practice")
        body = {"resourceType": "Binary", "contentType": "application/pdf", "data": b64encode(PDF).decode()}
        answer = await client.post(BINARY, json=body)
        assert answer.status_code == 201, answer.text
        assert (await client.get(f"{BINARY}/{answer.json()['id']}")).content == PDF

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"contentType": "text/html"}, 415),
            ({"contentType": "image/png"}, 422),
            ({"data": None}, 422),
            ({"data": "not base64"}, 422),
        ],
    )
    async def test_as_fhir_json_it_is_refused_alike(
        self, clinic: TestClinic, changed: dict[str, Any], status: int
    ) -> None:
        body = {"resourceType": "Binary", "contentType": "application/pdf", "data": b64encode(PDF).decode()}
        said = {name: value for name, value in (body | changed).items() if value is not None}
        answer = await clinic.as_("family-practice").post(BINARY, json=said)
        assert answer.status_code == status, answer.text
        assert await kept(clinic) == (0, 0)

    async def test_inline_data_over_one_megabyte_is_told_where_to_go(self, clinic: TestClinic) -> None:
        data = b64encode(bytes(900_000)).decode()
        body = bundle_with(document("{patient}", "x") | {"content": [{"attachment": {"data": data}}]})
        for path, sent in (("/referral/fhir", body), (BINARY, {"resourceType": "Binary", "data": data})):
            answer = await clinic.as_("family-practice").post(path, json=sent)
            assert answer.status_code == 413
            assert "/referral/fhir/Binary in its own content type" in answer.text

    @pytest.mark.parametrize("party", ["physiatrist", "workplace-insurer", "operator"])
    async def test_only_who_sends_or_enters_referrals_uploads(self, clinic: TestClinic, party: str) -> None:
        answer = await clinic.as_(party).post(
            BINARY, content=PDF, headers={"content-type": "application/pdf"}
        )
        assert answer.status_code == 403
        assert await kept(clinic) == (0, 0)


class TestHowManyAtOnce:
    async def test_a_third_of_one_client_is_429_and_later_there_is_room(self, clinic: TestClinic) -> None:
        goes_on, begun = asyncio.Event(), asyncio.Semaphore(0)

        async def slowly() -> AsyncIterator[bytes]:
            yield PDF
            begun.release()
            await goes_on.wait()

        headers = {"content-type": "application/pdf"}
        client, other = clinic.as_("family-practice"), clinic.as_("second-practice")
        tasks = [
            asyncio.create_task(client.post(BINARY, content=slowly(), headers=headers)) for _ in range(2)
        ]
        for _ in tasks:
            await begun.acquire()
        third = await client.post(BINARY, content=PDF, headers=headers)
        assert (third.status_code, "retry-after" in third.headers) == (429, True)
        assert (await other.post(BINARY, content=PDF, headers=headers)).status_code == 201
        goes_on.set()
        assert [answer.status_code for answer in await asyncio.gather(*tasks)] == [201, 201]
        assert (await client.post(BINARY, content=PDF, headers=headers)).status_code == 201

    async def test_one_that_breaks_off_leaves_nothing_and_gives_its_place_back(
        self, clinic: TestClinic
    ) -> None:
        async def breaks_off() -> AsyncIterator[bytes]:
            yield PDF + bytes(400_000)
            raise httpx.ReadError("gone")

        client = clinic.as_("family-practice")
        for _ in range(3):
            answer = await client.post(
                BINARY, content=breaks_off(), headers={"content-type": "application/pdf"}
            )
            assert answer.status_code == 500
        assert await kept(clinic) == (0, 0)
        await upload(clinic)

    async def test_one_that_comes_to_a_stop_is_given_up(
        self, clinic: TestClinic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api, "_PATIENCE", 0.2)
        never = asyncio.Event()

        async def stops() -> AsyncIterator[bytes]:
            yield PDF
            await never.wait()

        client = clinic.as_("family-practice")
        answer = await client.post(BINARY, content=stops(), headers={"content-type": "application/pdf"})
        assert (answer.status_code, "nothing of the body came" in answer.text) == (400, True)
        assert await kept(clinic) == (0, 0)

    async def test_one_that_comes_drop_by_drop_is_given_up(
        self, clinic: TestClinic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api, "_WITHIN", 0.3)

        async def drops() -> AsyncIterator[bytes]:
            yield PDF
            while True:
                await asyncio.sleep(0.02)
                yield b" "

        client = clinic.as_("family-practice")
        answer = await client.post(BINARY, content=drops(), headers={"content-type": "application/pdf"})
        assert (answer.status_code, "was not whole" in answer.text) == (400, True)
        assert await kept(clinic) == (0, 0)

    async def test_who_never_attaches_anything_is_stopped(
        self, clinic: TestClinic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(uploading, "MAX_UNATTACHED", len(PDF))
        first = await upload(clinic)
        await upload(clinic)
        headers = {"content-type": "application/pdf"}
        assert (
            await clinic.as_("family-practice").post(BINARY, content=PDF, headers=headers)
        ).status_code == 429
        await upload(clinic, by="second-practice")
        await sent_with(clinic, document("{patient}", f"Binary/{first}"))
        await upload(clinic)


class TestReading:
    async def test_what_stands_around_the_bytes_keeps_a_browser_from_running_them(
        self, clinic: TestClinic
    ) -> None:
        key = await upload(clinic)
        headers = (await clinic.as_("family-practice").get(f"{BINARY}/{key}")).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("sandbox")
        assert headers["content-disposition"] == f'attachment; filename="{key}.pdf"'
        assert headers["etag"] == 'W/"1"'
        assert headers["cache-control"] == "no-store"
        digest = b64encode(hashlib.sha256(PDF).digest()).decode()
        assert (headers["digest"], headers["repr-digest"]) == (f"sha-256={digest}", f"sha-256=:{digest}:")
        assert headers["content-length"] == str(len(PDF))

    @pytest.mark.parametrize(
        ("accept", "status", "is_resource"),
        [
            ("*/*", 200, False),
            ("application/pdf", 200, False),
            ("application/*", 200, False),
            ("application/fhir+json", 200, True),
            ("application/fhir+json, application/pdf;q=0.5", 200, False),
            ("application/fhir+json;q=0.9, */*;q=0.1", 200, True),
            ("application/fhir+json;q=0, */*", 200, False),
            ("image/png", 406, False),
            ("application/fhir+xml", 406, False),
        ],
    )
    async def test_accept_decides_between_the_bytes_and_the_resource(
        self, clinic: TestClinic, accept: str, status: int, is_resource: bool
    ) -> None:
        key = await upload(clinic)
        client = clinic.as_("family-practice")
        answer = await client.get(f"{BINARY}/{key}", headers={"accept": accept})
        assert answer.status_code == status
        if is_resource:
            told = answer.json()
            assert (told["id"], told["data"]) == (key, b64encode(PDF).decode())
        elif status == 200:
            assert answer.content == PDF

    async def test_what_is_too_large_for_json_says_how_it_is_read(self, clinic: TestClinic) -> None:
        key = await upload(clinic, PDF + bytes(900_000))
        answer = await clinic.as_("family-practice").get(
            f"{BINARY}/{key}", headers={"accept": "application/fhir+json"}
        )
        assert (answer.status_code, "Accept: application/pdf" in answer.text) == (406, True)

    async def test_head_says_the_same_without_the_bytes(self, clinic: TestClinic) -> None:
        key = await upload(clinic)
        client = clinic.as_("family-practice")
        got, head = await client.get(f"{BINARY}/{key}"), await client.head(f"{BINARY}/{key}")
        assert (head.status_code, head.content) == (200, b"")
        left = {"x-request-id"}
        assert {name: value for name, value in head.headers.items() if name not in left} == {
            name: value for name, value in got.headers.items() if name not in left
        }
        assert (await client.head(f"{BINARY}/{uuid4()}")).status_code == 404

    @pytest.mark.parametrize(
        ("asked", "status", "first", "last"),
        [
            ("bytes=0-9", 206, 0, 9),
            ("bytes=262140-262150", 206, 262_140, 262_150),
            ("bytes=300000-", 206, 300_000, None),
            ("bytes=-100", 206, -100, None),
            ("bytes=5-99999999", 206, 5, None),
            ("bytes=0-1,5-6", 200, 0, None),
            ("lines=0-1", 200, 0, None),
            ("bytes=9-5", 200, 0, None),
        ],
    )
    async def test_a_range_gives_just_these_bytes(
        self, clinic: TestClinic, asked: str, status: int, first: int, last: int | None
    ) -> None:
        content = PDF + b"".join(number.to_bytes(4, "big") for number in range(128_000))
        key = await upload(clinic, content)
        answer = await clinic.as_("family-practice").get(f"{BINARY}/{key}", headers={"range": asked})
        expected = content[first : None if last is None else last + 1]
        assert (answer.status_code, answer.content) == (status, expected)
        if status == 206:
            begin = first if first >= 0 else len(content) + first
            end = begin + len(expected) - 1
            assert answer.headers["content-range"] == f"bytes {begin}-{end}/{len(content)}"

    async def test_a_range_behind_the_end_is_416(self, clinic: TestClinic) -> None:
        key = await upload(clinic)
        answer = await clinic.as_("family-practice").get(f"{BINARY}/{key}", headers={"range": "bytes=5000-"})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(PDF)}")

    async def test_who_has_it_already_is_told_so(self, clinic: TestClinic) -> None:
        key = await upload(clinic)
        answer = await clinic.as_("family-practice").get(
            f"{BINARY}/{key}", headers={"if-none-match": 'W/"1"'}
        )
        assert (answer.status_code, answer.content) == (304, b"")

    async def test_before_it_is_attached_its_sender_reads_it_and_nobody_else(
        self, clinic: TestClinic
    ) -> None:
        key = await upload(clinic)
        for party in ("second-practice", "coordinator", TEAM):
            assert (await clinic.as_(party).get(f"{BINARY}/{key}")).status_code == 404, party
        assert (await clinic.as_("family-practice").get(f"{BINARY}/{key}")).status_code == 200
        assert (await clinic.as_("workplace-insurer").get(f"{BINARY}/{key}")).status_code == 403

    async def test_attached_the_site_and_the_team_read_it_and_each_reading_is_audited(
        self, clinic: TestClinic
    ) -> None:
        key = await upload(clinic)
        ids = await sent_with(clinic, document("{patient}", f"Binary/{key}", contentType="application/pdf"))
        await form_team(clinic, ids["ServiceRequest"], ids["Patient"], TEAM)
        for party in ("family-practice", "coordinator", TEAM):
            assert (await clinic.as_(party).get(f"{BINARY}/{key}")).content == PDF, party
        for party in ("second-practice", OF_NO_TEAM):
            assert (await clinic.as_(party).get(f"{BINARY}/{key}")).status_code == 404, party
        told = await clinic.databases["referral"].fetch(
            "SELECT client, outcome, patient_id FROM audit_event WHERE what LIKE $1 AND action = 'read'",
            f"Binary/{key}%",
        )
        granted = {(row["client"], row["patient_id"]) for row in told if row["outcome"] == "0"}
        assert granted == {(party, ids["Patient"]) for party in ("family-practice", "coordinator", TEAM)}


class TestAttaching:
    @pytest.mark.parametrize(
        "resource",
        [
            {"content": [{"attachment": {"url": "Binary/{key}", "hash": SHA1, "size": len(PDF)}}]},
            {"content": [{"attachment": {"url": "http://clinic.test/referral/fhir/Binary/{key}"}}]},
            {
                "resourceType": "DiagnosticReport",
                "status": "final",
                "code": {"text": "MRI"},
                "content": None,
                "presentedForm": [{"contentType": "application/pdf", "url": "Binary/{key}"}],
            },
            {
                "resourceType": "Media",
                "status": "completed",
                "content": {"contentType": "application/pdf", "url": "Binary/{key}"},
            },
        ],
    )
    async def test_every_attachment_of_a_referral_may_name_it(
        self, clinic: TestClinic, resource: dict[str, Any]
    ) -> None:
        key = await upload(clinic)
        made = document("{patient}", "x") | resource
        made = {name: _filled(value, key) for name, value in made.items() if value is not None}
        ids = await sent_with(clinic, made)
        await form_team(clinic, ids["ServiceRequest"], ids["Patient"], TEAM)
        assert (await clinic.as_(TEAM).get(f"{BINARY}/{key}")).content == PDF

    @pytest.mark.parametrize(
        ("attachment", "place"),
        [
            ({"url": f"Binary/{uuid4()}"}, "url"),
            ({"url": "Binary/of-my-own-server"}, "url"),
            ({"size": len(PDF) + 1}, "size"),
            ({"hash": b64encode(bytes(20)).decode()}, "hash"),
            ({"contentType": "image/png"}, "contentType"),
        ],
    )
    async def test_what_it_is_not_is_named_and_nothing_is_written(
        self, clinic: TestClinic, attachment: dict[str, Any], place: str
    ) -> None:
        key = await upload(clinic)
        resource = document("{patient}", f"Binary/{key}") | {
            "content": [{"attachment": {"url": f"Binary/{key}"} | attachment}]
        }
        answer = await send(clinic, bundle_with(resource))
        assert answer.status_code == 422, answer.text
        assert wrong(answer) == [f"Bundle.entry[4].resource.content[0].attachment.{place}"]
        assert await clinic.databases["referral"].fetch("SELECT FROM referral") == []

    async def test_anothers_is_as_if_there_were_none(self, clinic: TestClinic) -> None:
        key = await upload(clinic, by="second-practice")
        answer = await send(clinic, bundle_with(document("{patient}", f"Binary/{key}")))
        nobodys = await send(clinic, bundle_with(document("{patient}", f"Binary/{uuid4()}")))
        assert (answer.status_code, answer.json()) == (422, nobodys.json())

    async def test_one_that_is_attached_belongs_to_its_patient_for_good(self, clinic: TestClinic) -> None:
        key = await upload(clinic)
        named = document("{patient}", f"Binary/{key}")
        first = await sent_with(clinic, dict(named), health_card="1111111111")
        again = await send(clinic, bundle_with(dict(named), health_card="2222222222", family="Okafor"))
        assert (again.status_code, "another patient" in again.text) == (422, True)
        more = document(f"Patient/{first['Patient']}", f"Binary/{key}")
        answer = await operate(
            clinic, "family-practice", first["ServiceRequest"], "provide-information", document=more
        )
        assert answer.status_code == 200, answer.text

    async def test_one_that_says_whom_it_is_about_is_nobody_elses(self, clinic: TestClinic) -> None:
        first = await sent_with(clinic, health_card="1111111111")
        other = await sent_with(clinic, health_card="2222222222", family="Okafor")
        context = {"x-security-context": f"ServiceRequest/{first['ServiceRequest']}"}
        key = await upload(clinic, **context)
        told = await clinic.as_("family-practice").get(
            f"{BINARY}/{key}", headers={"accept": "application/fhir+json"}
        )
        assert told.json()["securityContext"] == {"reference": context["x-security-context"]}
        wrong_one = document(f"Patient/{other['Patient']}", f"Binary/{key}")
        answer = await operate(
            clinic, "family-practice", other["ServiceRequest"], "provide-information", document=wrong_one
        )
        assert (answer.status_code, "another patient" in answer.text) == (422, True)
        right = document(f"Patient/{first['Patient']}", f"Binary/{key}")
        assert (
            await operate(
                clinic, "family-practice", first["ServiceRequest"], "provide-information", document=right
            )
        ).status_code == 200

    @pytest.mark.parametrize("context", ["ServiceRequest/{foreign}", "Patient/nobody", "Task/x", "nonsense"])
    async def test_a_security_context_is_the_senders_own(self, clinic: TestClinic, context: str) -> None:
        foreign = located(await send(clinic, bundle_with(), as_="second-practice"))
        headers = {"content-type": "application/pdf", "x-security-context": context.format(foreign=foreign)}
        answer = await clinic.as_("family-practice").post(BINARY, content=PDF, headers=headers)
        assert (answer.status_code, wrong(answer)) == (422, ["Binary.securityContext"])

    async def test_what_another_server_has_is_no_matter_of_ours(self, clinic: TestClinic) -> None:
        far = document("{patient}", "https://elm-street.example/fhir/Binary/7")
        near = document("{patient}", "Binary/7") | {
            "_url": "https://elm-street.example/fhir/DocumentReference/8"
        }
        await sent_with(clinic, far, near)

    async def test_a_binary_in_the_bundle_is_kept_and_its_link_replaced(self, clinic: TestClinic) -> None:
        url = f"urn:uuid:{uuid4()}"
        data = {"contentType": "application/pdf", "data": b64encode(PDF).decode()}
        inline = {"resourceType": "Binary", "_url": url, **data}
        body = bundle_with(document("{patient}", url, hash=SHA1), inline)
        answer = await send(clinic, body)
        assert answer.status_code == 200, answer.text
        kind, key, *_ = answer.json()["entry"][5]["response"]["location"].split("/")
        assert kind == "Binary"
        document_id = answer.json()["entry"][4]["response"]["location"].split("/")[1]
        client = clinic.as_("coordinator")
        told = (await client.get(f"/referral/fhir/DocumentReference/{document_id}")).json()
        assert told["content"][0]["attachment"]["url"] == f"Binary/{key}"
        assert (await client.get(f"{BINARY}/{key}")).content == PDF
        assert (await send(clinic, body)).json() == answer.json()
        assert (await kept(clinic))[0] == 1

    async def test_a_correction_with_the_same_bytes_names_the_same_binary(self, clinic: TestClinic) -> None:
        url = f"urn:uuid:{uuid4()}"
        inline = {"resourceType": "Binary", "contentType": "application/pdf", "data": b64encode(PDF).decode()}
        body = bundle_with(document("{patient}", url), inline | {"_url": url}, identifier="R-1")
        first = (await send(clinic, body)).json()["entry"][5]["response"]
        body["entry"][4]["resource"]["description"] = "MRI of the lumbar spine"
        second = (await send(clinic, body)).json()["entry"][5]["response"]
        assert (first["location"], second["status"]) == (second["location"], "200 OK")
        body["entry"][5]["resource"]["data"] = b64encode(PDF + b"more").decode()
        third = (await send(clinic, body)).json()["entry"][5]["response"]
        assert third["location"] != first["location"]
        assert (await kept(clinic))[0] == 2

    @pytest.mark.parametrize(
        ("changed", "place"),
        [({"contentType": "text/html"}, "contentType"), ({"data": b64encode(b"<p>").decode()}, "data")],
    )
    async def test_a_binary_in_the_bundle_that_is_not_what_it_says_refuses_it(
        self, clinic: TestClinic, changed: dict[str, str], place: str
    ) -> None:
        inline = {"resourceType": "Binary", "contentType": "application/pdf", "data": b64encode(PDF).decode()}
        answer = await send(clinic, bundle_with(inline | changed))
        assert (answer.status_code, wrong(answer)) == (422, [f"Bundle.entry[4].resource.{place}"])


class TestDocumentAfterwards:
    async def test_it_names_the_referral_and_the_team_reads_it(self, clinic: TestClinic) -> None:
        ids = await sent_with(clinic)
        key = await upload(clinic)
        answer = await self.send(clinic, ids, key)
        assert answer.status_code == 201, answer.text
        location = f"/DocumentReference/{answer.json()['id']}/_history/1"
        assert answer.headers["location"].endswith(location)
        await form_team(clinic, ids["ServiceRequest"], ids["Patient"], TEAM)
        found = await clinic.as_(TEAM).get(f"/referral/fhir/DocumentReference?patient={ids['Patient']}")
        [entry] = found.json()["entry"]
        url = entry["resource"]["content"][0]["attachment"]["url"]
        assert (await clinic.as_(TEAM).get(f"/referral/fhir/{url}")).content == PDF

    @pytest.mark.parametrize(
        ("changed", "place"),
        [
            ({"context": None}, "DocumentReference.context.related"),
            (
                {"context": {"related": [{"reference": f"ServiceRequest/{uuid4()}"}]}},
                "DocumentReference.context.related",
            ),
            ({"subject": None}, "DocumentReference.subject"),
            ({"subject": {"reference": f"Patient/{uuid4()}"}}, "DocumentReference.subject"),
            (
                {"subject": {"identifier": {"system": HEALTH_CARD, "value": "9999999999"}}},
                "DocumentReference.subject",
            ),
            (
                {"content": [{"attachment": {"url": f"Binary/{uuid4()}"}}]},
                "DocumentReference.content[0].attachment.url",
            ),
        ],
    )
    async def test_what_is_wrong_is_named_and_nothing_is_written(
        self, clinic: TestClinic, changed: dict[str, Any], place: str
    ) -> None:
        ids = await sent_with(clinic)
        key = await upload(clinic)
        answer = await self.send(clinic, ids, key, **changed)
        assert (answer.status_code, wrong(answer)) == (422, [place])
        found = await clinic.databases["referral"].fetch(
            "SELECT FROM enclosure WHERE type = 'DocumentReference'"
        )
        assert found == []

    async def test_anothers_referral_is_as_if_there_were_none(self, clinic: TestClinic) -> None:
        ids = await sent_with(clinic)
        body = document(f"Patient/{ids['Patient']}", "x")
        answers = [
            await clinic.as_("second-practice").post(
                "/referral/fhir/DocumentReference",
                json=body | {"context": {"related": [{"reference": f"ServiceRequest/{key}"}]}},
            )
            for key in (ids["ServiceRequest"], uuid4())
        ]
        assert [answer.status_code for answer in answers] == [422, 422]
        assert answers[0].json() == answers[1].json()

    async def send(self, clinic: TestClinic, ids: dict[str, str], key: str, **changed: Any) -> httpx.Response:
        """Send a document that names a referral and a Binary."""
        body = document(f"Patient/{ids['Patient']}", f"Binary/{key}")
        body |= {"context": {"related": [{"reference": f"ServiceRequest/{ids['ServiceRequest']}"}]}} | changed
        said = {name: value for name, value in body.items() if value is not None}
        return await clinic.as_("family-practice").post("/referral/fhir/DocumentReference", json=said)


class TestSomebodyElse:
    """An attachment about somebody else is refused, whichever way it names whom it is about."""

    async def named(self, clinic: TestClinic, subject: dict[str, Any], **contained: Any) -> httpx.Response:
        ids = await sent_with(clinic, health_card="1111111111")
        await sent_with(clinic, health_card="2222222222", family="Okafor")
        body = document("x", "https://elm-street.example/report.pdf") | {"subject": subject} | contained
        return await operate(
            clinic, "family-practice", ids["ServiceRequest"], "provide-information", document=body
        )

    @pytest.mark.parametrize(
        ("subject", "contained"),
        [
            ({"identifier": {"system": HEALTH_CARD, "value": "2222222222"}}, {}),
            ({"type": "Patient", "identifier": {"system": HEALTH_CARD, "value": "3333333333"}}, {}),
            ({"reference": f"Patient?identifier={HEALTH_CARD}|2222222222"}, {}),
            (
                {"reference": "#p"},
                {
                    "contained": [
                        {
                            "resourceType": "Patient",
                            "id": "p",
                            "identifier": [{"system": HEALTH_CARD, "value": "2222222222"}],
                        }
                    ]
                },
            ),
        ],
    )
    async def test_by_identifier(
        self, clinic: TestClinic, subject: dict[str, Any], contained: dict[str, Any]
    ) -> None:
        answer = await self.named(clinic, subject, **contained)
        assert answer.status_code == 422, answer.text
        assert wrong(answer) == ["Parameters.parameter[0].resource.subject"]

    async def test_the_persons_own_identifier_is_no_other(self, clinic: TestClinic) -> None:
        own = {"identifier": {"system": HEALTH_CARD, "value": "1111111111"}}
        assert (await self.named(clinic, own)).status_code == 200

    async def test_in_a_correction(self, clinic: TestClinic) -> None:
        await sent_with(clinic, health_card="2222222222", family="Okafor")
        await sent_with(clinic, identifier="R-7", health_card="1111111111")
        other = {"identifier": {"system": "https://elm-street.example/charts", "value": "C-2"}}
        wrong_one = document("x", "https://elm-street.example/report.pdf") | {"subject": other}
        body = bundle_with(wrong_one, identifier="R-7", health_card="1111111111")
        assert (await send(clinic, body)).status_code == 200
        other["identifier"] = {"system": HEALTH_CARD, "value": "2222222222"}
        body = bundle_with(wrong_one, identifier="R-7", health_card="1111111111")
        answer = await send(clinic, body)
        assert (answer.status_code, wrong(answer)) == (422, ["Bundle.entry[4].resource.subject.identifier"])

    async def test_in_a_bundle_whose_patient_is_named_only(self, clinic: TestClinic) -> None:
        await sent_with(clinic, health_card="1111111111")
        await sent_with(clinic, health_card="2222222222", family="Okafor")
        own = {"identifier": {"system": HEALTH_CARD, "value": "1111111111"}}
        other = {"identifier": {"system": HEALTH_CARD, "value": "2222222222"}}
        body = bundle_with(document("x", "https://elm-street.example/report.pdf") | {"subject": other})
        del body["entry"][0]
        for entry in body["entry"]:
            for member in ("subject", "patient", "beneficiary"):
                if "reference" in entry["resource"].get(member, {}):
                    entry["resource"][member] = own
        answer = await send(clinic, body)
        assert (answer.status_code, wrong(answer)) == (422, ["Bundle.entry[3].resource.subject"])


def _filled(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(part, key) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, key) for part in value]
    return value.replace("{key}", key) if isinstance(value, str) else value
