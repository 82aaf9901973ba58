"""What the team saw: the live feed, read to its newest entry as the coordinator."""

import json
from datetime import datetime

from deploy.demo.parties import Parties
from deploy.demo.story import Line, Story

# What the scripts note as acts, and what repeats day after day, would hide the rest.
_UNTOLD = frozenset(
    {
        "referral.received",
        "referral.triaged",
        "appointment.arrived",
        "appointment.fulfilled",
        "outcome.recorded",
        "notification.undeliverable",
    }
)


async def read_feed(parties: Parties, stories: list[Story]) -> list[Line]:
    """Read every entry from the first to the newest."""
    of_story = {referral: story.number for story in stories for referral in story.referrals}
    lines = []
    client = await parties("coordinator")
    async with client.stream("GET", "/notifications/feed", params={"after": "-1"}) as answer:
        answer.raise_for_status()
        async for text in answer.aiter_lines():
            if text == ": now":
                break
            if text.startswith("data: "):
                entry = json.loads(text.removeprefix("data: "))
                if entry.get("type", "") not in _UNTOLD and "text" in entry:
                    lines.append(_line(entry, of_story))
    return lines


def _line(entry: dict[str, str], of_story: dict[str, int]) -> Line:
    return Line(
        at=datetime.fromisoformat(entry["time"]),
        story=of_story.get(entry["referral"]),
        who="the clinic",
        what=entry["text"],
        event=entry["type"],
    )
