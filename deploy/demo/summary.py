"""The demo's summary, read back through the API as the coordinator and a chair see it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from deploy.demo.acts import business_status, moment
from deploy.demo.claims_system import ClaimsSystem
from deploy.demo.letters import LetterBox
from deploy.demo.meeting import CHAIR
from deploy.demo.parties import Parties
from deploy.demo.story import Story
from shared.fhir import codes

Resource = dict[str, Any]
_MEANING = {
    "A1": "approved",
    "A2": "partly approved",
    "A3": "denied",
    "A4": "pended",
    "A6": "modified",
    "C": "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The wait of one referral for its first appointment, in days from sending; None where none was held.

    Within so many days its priority `promised` it.
    """

    story: int | None
    programme: str
    days: float | None
    promised: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of everything."""

    referrals: Mapping[tuple[str, str], int]
    waits: Sequence[Wait]
    authorizations: Mapping[tuple[str, str], int]
    meetings: Mapping[str, int]
    decisions: int
    actions: Mapping[str, int]
    messages: Mapping[str, int]
    letters: int
    webhooks: Mapping[str, int]
    taken: int


async def read_summary(
    parties: Parties, letters: LetterBox, claims: ClaimsSystem, *, stories: Sequence[Story], zone: ZoneInfo
) -> Summary:
    """Read the summary through the API, with the local days of a zone."""
    of_story = {referral: story.number for story in stories for referral in story.referrals}
    tasks = await every(parties, "coordinator", f"/referral/fhir/Task?code={codes.TaskCode.PROCESS_REQUEST}")
    promises = await every_row(parties, "coordinator", "/scheduling/guarantee")
    meetings = await every(parties, CHAIR, "/careteam/fhir/Appointment")
    items = await every(parties, "coordinator", f"/careteam/fhir/Task?code={codes.TaskCode.AGENDA_ITEM}")
    actions = await every(parties, "coordinator", f"/careteam/fhir/Task?code={codes.TaskCode.ACTION}")
    messages = await every(parties, "coordinator", "/notifications/fhir/Communication")
    return Summary(
        referrals=Counter((_stream(task), business_status(task)) for task in tasks),
        waits=[_wait(row, of_story, zone=zone) for row in promises],
        authorizations=await _authorizations(parties),
        meetings=Counter(meeting["status"] for meeting in meetings),
        decisions=sum(1 for item in items if item["status"] == "completed"),
        actions=Counter(action["status"] for action in actions),
        messages=Counter(one["status"] for one in messages if not _is_webhook(one)),
        letters=letters.copies.total(),
        webhooks=Counter(one["status"] for one in messages if _is_webhook(one)),
        taken=claims.copies.total(),
    )


async def every_row(parties: Parties, party: str, path: str) -> list[dict[str, Any]]:
    """Read a list that comes in pages of rows as a party, and give the rows of all pages."""
    found: list[dict[str, Any]] = []
    following: str | None = ""
    while following is not None:
        after = {"_after": following} if following else {}
        answer = await (await parties(party)).get(path, params={"_count": "200", **after})
        answer.raise_for_status()
        found += answer.json()["rows"]
        following = answer.json()["next"]
    return found


async def every(parties: Parties, party: str, path: str) -> list[Resource]:
    """Search as a party and give the matches of all pages."""
    found: list[Resource] = []
    following: str | None = f"{path}{'&' if '?' in path else '?'}_count=200"
    while following is not None:
        answer = await (await parties(party)).get(following)
        answer.raise_for_status()
        bundle = answer.json()
        found += [entry["resource"] for entry in bundle.get("entry", [])]
        links = {link["relation"]: link["url"] for link in bundle.get("link", [])}
        following = links.get("next")
    return found


async def _authorizations(parties: Parties) -> Mapping[tuple[str, str], int]:
    """Count the newest answer to each Claim; a later ClaimResponse supersedes."""
    claims = await every(parties, "coordinator", "/referral/fhir/Claim")
    answers = await every(parties, "coordinator", "/referral/fhir/ClaimResponse")
    newest: dict[str, str] = {}
    for answer in sorted(answers, key=lambda one: str(one["meta"]["lastUpdated"])):
        newest[str(answer["request"]["reference"]).rpartition("/")[2]] = _action(answer)
    return Counter(
        (_last(claim["insurer"]), newest.get(str(claim["id"]), "no answer yet")) for claim in claims
    )


def _action(answer: Resource) -> str:
    text = str(answer.get("item"))
    return next((word for code, word in _MEANING.items() if f"'code': '{code}'" in text), "other")


def _stream(task: Resource) -> str:
    for one in task.get("input", []):
        for coding in one["type"].get("coding", []):
            if coding["code"] == codes.TaskInput.STREAM:
                return str(one["valueCoding"]["code"])
    return "none"


def _wait(row: Resource, of_story: Mapping[str, int], *, zone: ZoneInfo) -> Wait:
    return Wait(
        story=of_story.get(str(row["referral"]).rpartition("/")[2]),
        programme=str(row["programme"]),
        days=row["raw_days"],
        promised=(date.fromisoformat(row["due_on"]) - moment(row["sent_at"]).astimezone(zone).date()).days,
        status=str(row["status"]),
    )


def _is_webhook(communication: Resource) -> bool:
    return any(coding["code"] == "ELECTRONIC" for coding in communication["medium"][0]["coding"])


def _last(reference: Resource) -> str:
    return str(reference["reference"]).rpartition("/")[2]
