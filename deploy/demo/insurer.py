"""Acts of an insurer: its work list, its answer to a Claim, its question about the status."""

from datetime import date, timedelta

from deploy.demo.story import Resource, Story
from shared.fhir import codes

REASON = "Pre-existing condition, not related to the insured event"
_NAMES = {"A1": "approves", "A3": "denies", "A4": "pends"}


async def work_list(story: Story, insurer: str, referral: str) -> Resource:
    """Find the referral's Claim on the insurer's work list."""
    tasks = await story.find(insurer, f"/referral/fhir/Task?owner=Organization/{insurer}&status=requested")
    claims = [
        await story.read(insurer, f"/referral/fhir/Claim/{task['focus']['reference'].rpartition('/')[2]}")
        for task in tasks
    ]
    mine = [claim for claim in claims if referral in str(claim.get("referral"))]
    story.expect("the Claim is on the insurer's work list", len(mine) == 1, len(mine))
    return mine[0]


async def answer(
    story: Story, insurer: str, claim: Resource, action: str, *, weeks: int = 0
) -> tuple[str, str]:
    """Answer every item of a Claim with one review action; gives the granted period as ISO dates."""
    today = story.clock.now().date()
    end = today + timedelta(weeks=weeks)
    await story.act(
        insurer, "POST", "/referral/fhir/ClaimResponse", body=_response(insurer, claim, action, today, end)
    )
    story.note(insurer, f"{_NAMES[action]} the Claim", "POST ClaimResponse")
    return today.isoformat(), end.isoformat()


async def inquire(story: Story, insurer: str, claim: Resource) -> str:
    """Ask for the status of an authorization and give the answer's text."""
    patient = await story.find("coordinator", f"/referral/fhir/Coverage?_id={_coverage(claim)}")
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "claim", "valueReference": {"reference": f"Claim/{claim['id']}"}},
            {"name": "member-id", "valueIdentifier": {"value": patient[0].get("subscriberId", "")}},
        ],
    }
    found = await story.act(insurer, "POST", "/referral/fhir/Claim/$inquire", body=body)
    story.note(insurer, "asks for the status", "Claim/$inquire")
    return found.text


def _coverage(claim: Resource) -> str:
    return str(claim["insurance"][0]["coverage"]["reference"]).rpartition("/")[2]


def _response(insurer: str, claim: Resource, action: str, start: date, end: date) -> Resource:
    response: Resource = {
        "resourceType": "ClaimResponse",
        "status": "active",
        "type": claim["type"],
        "use": "preauthorization",
        "patient": claim["patient"],
        "created": start.isoformat(),
        "insurer": {"reference": f"Organization/{insurer}"},
        "request": {"reference": f"Claim/{claim['id']}"},
        "outcome": "complete",
        "preAuthRef": f"AUTH-{str(claim['id'])[-6:]}",
        "item": [_item(item, action) for item in claim["item"]],
    }
    if action == "A3":
        response["processNote"] = [{"number": 1, "type": "display", "text": REASON}]
    if action == "A1":
        response["preAuthPeriod"] = {"start": start.isoformat(), "end": end.isoformat()}
    return response


def _item(item: Resource, action: str) -> Resource:
    code = {"coding": [{"system": codes.X12_306_SYSTEM, "code": action}]}
    review = {
        "url": codes.REVIEW_ACTION_EXTENSION,
        "extension": [{"url": codes.REVIEW_ACTION_CODE_EXTENSION, "valueCodeableConcept": code}],
    }
    submitted = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "submitted"}]
    }
    return {
        "itemSequence": item["sequence"],
        "adjudication": [{"category": submitted, "extension": [review]}],
    }
