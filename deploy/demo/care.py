"""Acts of the team: reading the team and plan, recording outcomes, activating and completing a plan."""

from datetime import timedelta

from deploy.demo.acts import change, first_appointment, moment, sessions, visit
from deploy.demo.story import Resource, StepMissed, Story
from shared.fhir import codes, start_back


async def patient_of(story: Story, referral: str) -> str:
    """Read the reference of the referral's patient."""
    request = await story.read("coordinator", f"/referral/fhir/ServiceRequest/{referral}")
    return f"Patient/{str(request['subject']['reference']).rpartition('/')[2]}"


async def team_of(story: Story, party: str, referral: str) -> Resource:
    """Find the team of a referral."""
    patient = await patient_of(story, referral)
    teams = await story.find(party, f"/careteam/fhir/CareTeam?patient={patient}")
    teams = [team for team in teams if referral in str(team.get("identifier"))]
    story.expect("the referral has one team", len(teams) == 1, len(teams))
    return teams[0]


async def plan_of(story: Story, party: str, referral: str) -> Resource:
    """Find the plan of a referral."""
    plans = await story.find(party, f"/careteam/fhir/CarePlan?based-on=ServiceRequest/{referral}")
    if len(plans) != 1:
        raise StepMissed(f"{party} sees {len(plans)} plans of the referral")
    return plans[0]


async def activate_plan(story: Story, clinician: str, referral: str) -> Resource:
    """Give the draft plan an activity and activate it."""
    draft = await plan_of(story, clinician, referral)
    story.expect("the plan is a draft", draft["status"] == "draft", draft["status"])
    activity = {
        "detail": {
            "kind": "ServiceRequest",
            "status": "scheduled",
            "description": "Graded exercise, twice a week",
        }
    }
    body = draft | {"status": "active", "activity": [activity]}
    answer = await story.act(
        clinician,
        "PUT",
        f"/careteam/fhir/CarePlan/{draft['id']}",
        body=body,
        version=int(draft["meta"]["versionId"]),
    )
    story.note(clinician, "activates the plan", "PUT CarePlan")
    await story.later()
    plan: Resource = answer.json()
    return plan


async def complete_plan(story: Story, clinician: str, referral: str, summary: str) -> None:
    """Complete the plan with a summary; the patient is discharged."""
    plan = await plan_of(story, clinician, referral)
    body = plan | {"status": "completed", "note": [*plan.get("note", []), {"text": summary}]}
    await story.act(
        clinician,
        "PUT",
        f"/careteam/fhir/CarePlan/{plan['id']}",
        body=body,
        version=int(plan["meta"]["versionId"]),
    )
    story.note(clinician, "completes the plan", "PUT CarePlan")
    await story.later()


async def record_pain(story: Story, clinician: str, referral: str, score: int) -> Resource:
    """Record a pain score of 0 to 10 (NPRS)."""
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": codes.LOINC, "code": "72514-3"}]},
        "subject": {"reference": await patient_of(story, referral)},
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "effectiveDateTime": story.clock.now().isoformat(),
        "valueInteger": score,
    }
    answer = await story.act(clinician, "POST", "/careteam/fhir/Observation", body=body)
    story.note(clinician, "records a pain score", "POST Observation")
    await story.later()
    observation: Resource = answer.json()
    return observation


async def record_oswestry(story: Story, clinician: str, referral: str, answers: list[int]) -> None:
    """Record the ten answers of the Oswestry index; the clinic scores them."""
    body = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{codes.LUMBAR}/Questionnaire/oswestry",
        "status": "completed",
        "subject": {"reference": await patient_of(story, referral)},
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "authored": story.clock.now().isoformat(),
        "item": [
            {"linkId": f"section-{number}", "answer": [{"valueInteger": answer}]}
            for number, answer in enumerate(answers, start=1)
        ],
    }
    await story.act(clinician, "POST", "/careteam/fhir/QuestionnaireResponse", body=body)
    story.note(clinician, "records the Oswestry answers", "POST QuestionnaireResponse")
    await story.later()


async def record_start_back(story: Story, clinician: str, referral: str, *, agreed: int) -> Resource:
    """Record STarT Back with so many of the last items agreed with and an extreme bother; give its score."""
    items = list(start_back.ITEMS)[:8]
    codes_of = dict.fromkeys(items, "disagree") | dict.fromkeys(items[::-1][:agreed], "agree")
    answers = codes_of | {start_back.BOTHERSOME: "extremely"}
    body = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{codes.LUMBAR}/Questionnaire/start-back",
        "status": "completed",
        "subject": {"reference": await patient_of(story, referral)},
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "authored": story.clock.now().isoformat(),
        "item": [
            {"linkId": link, "answer": [{"valueCoding": {"system": start_back.ANSWER_SYSTEM, "code": code}}]}
            for link, code in answers.items()
        ],
    }
    await story.act(clinician, "POST", "/careteam/fhir/QuestionnaireResponse", body=body)
    story.note(clinician, "records the STarT Back answers", "POST QuestionnaireResponse")
    await story.later()
    subject = await patient_of(story, referral)
    scores = await story.find(clinician, f"/careteam/fhir/Observation?patient={subject}&code=91351-7")
    story.expect("the tool is scored once", len(scores) == 1, len(scores))
    return scores[0]


async def see_first(story: Story, referral: str) -> None:
    """See the patient at the first appointment."""
    await visit(story, await first_appointment(story, "coordinator", referral))


async def seen_if_it_stands(story: Story, referral: str) -> None:
    """See the patient at the first appointment, unless it was cancelled before."""
    appointment = await first_appointment(story, "coordinator", referral)
    await story.until_moment(moment(appointment["start"]))
    now = await story.read("coordinator", f"/scheduling/fhir/Appointment/{appointment['id']}")
    if now["status"] == "booked":
        await visit(story, now)


async def revise_plan(story: Story, clinician: str, referral: str, description: str) -> Resource:
    """Write a new version of the active plan."""
    plan = await plan_of(story, clinician, referral)
    revised = await change(story, clinician, f"/careteam/fhir/CarePlan/{plan['id']}", description=description)
    story.note(clinician, "revises the plan", "PUT CarePlan")
    await story.later()
    return revised


async def expect_sessions_held(story: Story, referral: str, *, count: int) -> None:
    """Wait until the last session is over, and expect that every one took place."""
    last = (await sessions(story, referral))[-1]
    await story.until_moment(moment(last["end"]) + timedelta(hours=12))
    held = await sessions(story, referral, "fulfilled")
    story.expect(f"{count} sessions took place", len(held) == count, len(held))
