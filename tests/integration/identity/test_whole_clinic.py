"""A person in a whole clinic: the services know who it is, and refuse them once they have signed out."""

from tests.support.clinic import BASE_URL, TestClinic
from tests.support.redaction import watching
from tests.support.sign_in import demo_tokens


async def test_a_person_reads_what_their_client_may_and_nothing_after_signing_out(clinic: TestClinic) -> None:
    async with clinic.anonymous() as http:
        tokens = await demo_tokens(http, "coordinator", base_url=BASE_URL)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        for path in ("/referral/fhir/ServiceRequest", "/scheduling/fhir/Appointment", "/careteam/fhir/Task"):
            assert (await http.get(path, headers=bearer)).status_code == 200, path
        assert (await http.get("/referral/fhir/Claim?_id=x", headers=bearer)).status_code == 200
        await http.post("/auth/end-session", data={"id_token_hint": tokens["id_token"]})
        for path in ("/referral/fhir/ServiceRequest", "/scheduling/fhir/Appointment", "/notifications/feed"):
            refused = await http.get(path, headers=bearer)
            assert refused.status_code == 401, path
            assert "has ended" in refused.text


async def test_an_operator_sees_no_patient(clinic: TestClinic) -> None:
    async with clinic.anonymous() as http:
        tokens = await demo_tokens(http, "operator", base_url=BASE_URL)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await http.get("/referral/fhir/Patient", headers=bearer)).status_code == 403


async def test_an_access_is_audited_as_that_persons(clinic: TestClinic) -> None:
    async with clinic.anonymous() as http:
        tokens = await demo_tokens(http, "coordinator", base_url=BASE_URL)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        await http.get("/referral/fhir/ServiceRequest", headers=bearer)
    found = (await clinic.as_("privacy-officer").get("/referral/fhir/AuditEvent")).json()
    [event] = [entry["resource"] for entry in found["entry"] if entry["resource"]["type"]["code"] == "rest"]
    assert [agent.get("altId") for agent in event["agent"] if agent["requestor"]] == ["demo:coordinator"]


async def test_nothing_secret_stands_in_a_log_a_span_or_a_figure(clinic: TestClinic) -> None:
    made_up = {"grant_type": "refresh_token", "client_id": "portal", "refresh_token": "made-up-token"}
    with watching() as told:
        async with clinic.anonymous() as http:
            tokens = await demo_tokens(http, "coordinator", base_url=BASE_URL)
            await http.post("/auth/token", data=made_up)
            await http.get("/auth/elsewhere/callback?code=made-up-code&state=made-up-state")
            await http.get("/auth/invitation?link=made-up-link")
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            await http.get("/referral/fhir/ServiceRequest", headers=bearer)
        await told.read(clinic.databases.values(), clinic.workers)
        assert told.spans.get_finished_spans()
        told.must_not_hold("made-up", tokens["access_token"], tokens["refresh_token"], tokens["id_token"])
