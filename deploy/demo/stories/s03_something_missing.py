"""Something missing: asked for, with whose turn it is; answered; accepted; the raw clock did not restart."""

from deploy.demo.acts import business_status, expect_told, process_task
from deploy.demo.bundles import example
from deploy.demo.care import see_first
from deploy.demo.story import Story, location_of
from shared.fhir import codes

TITLE = "Something missing"


async def play(story: Story) -> None:
    """Send a referral without its answers and give them three days later."""
    await story.until(2, "11:00")
    referral = location_of(await story.send("second-practice", "03-something-missing.json"), "ServiceRequest")
    await story.settled()
    task = await process_task(story, "second-practice", referral)
    story.expect("it is on hold", task["status"] == "on-hold", task["status"])
    story.expect("it says what is missing", bool(task["statusReason"]["text"]))
    turn = _input(task, codes.TaskInput.TURN)
    story.expect("it is the referrer's turn", "second-practice" in str(turn), turn)
    sent_at = _input(task, codes.TaskInput.SENT_AT)

    await story.until(4, "15:00")
    await story.act("coordinator", "POST", f"/referral/fhir/ServiceRequest/{referral}/$remind")
    story.note("coordinator", "reminds the practice of what is missing", "$remind")
    await story.settled()
    await expect_told(story, referral, "referral.reminded", "second-practice")

    await story.until(5, "08:30")
    await story.act(
        "second-practice",
        "POST",
        f"/referral/fhir/ServiceRequest/{referral}/$provide-information",
        body=example("03-something-missing-answers.json", at=story.clock.now()),
    )
    story.note("second-practice", "answers what was asked", "$provide-information")
    await story.settled()
    task = await process_task(story, "second-practice", referral)
    story.expect("it is accepted and booked", business_status(task) == "booked", business_status(task))
    story.expect("the raw clock did not restart", _input(task, codes.TaskInput.SENT_AT) == sent_at)
    await expect_told(story, referral, "referral.information-requested", "second-practice")
    await see_first(story, referral)


def _input(task: dict[str, object], name: codes.TaskInput) -> object:
    for entry in task.get("input", []):  # type: ignore[attr-defined]
        if entry["type"]["coding"][0]["code"] == name:
            return next(value for key, value in entry.items() if key.startswith("value"))
    return None
