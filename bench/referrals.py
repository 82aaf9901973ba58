"""The referrals that are sent: the routine example of the demo, each of another patient, over all sites.

The days on which a patient cannot come are others for each, as in life: where nobody could come on the same
ones, those would stay free for ever, and every later search would look at them in vain.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bench.clinic import SITES, programme_of, site_of
from deploy.demo.bundles import example
from shared.fhir.codes import PROGRAMME_SYSTEM

_ROUTINE = "01-rapid-access-routine.json"
_CARD, _NUMBER = "4082917365", "EF-10412"
_PROGRAMME = "the-programme-of-the-site"
_AWAY = {"unavailable-from": "the-first-day-away", "unavailable-to": "the-last-day-away"}
# Days from the example's own absence within which all of them begin.
_SPREAD = 28


def bodies(numbers: range, *, sites: int = SITES, at: datetime | None = None) -> Iterator[bytes]:
    """Make the Bundles of these numbers, spread over so many sites; each is another patient's.

    Their dates are those of a referral sent at `at`, else now.
    """
    template, away = _template(at or datetime.now(UTC))
    for number in numbers:
        text = (
            template.replace(_CARD, f"77700{number:05d}")
            .replace(_NUMBER, f"BN-000{number:05d}")
            .replace(_PROGRAMME, programme_of(site_of(number % sites)))
        )
        for name, token in _AWAY.items():
            day = away[name] + timedelta(days=number // sites % _SPREAD)
            text = text.replace(token, day.isoformat())
        yield text.encode()


def _template(at: datetime) -> tuple[str, dict[str, date]]:
    """Give the example with tokens for what differs, and its own first and last day of absence."""
    bundle, away = json.loads(example(_ROUTINE, at=at)), {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "ServiceRequest":
            resource["code"]["coding"] = [{"system": PROGRAMME_SYSTEM, "code": _PROGRAMME}]
        if resource["resourceType"] == "QuestionnaireResponse":
            away = {one["linkId"]: _take_day(one) for one in _away_of(resource)}
    text = json.dumps(bundle, separators=(",", ":"))
    for token in (_CARD, _NUMBER, _PROGRAMME, *_AWAY.values()):
        if token not in text:
            raise ValueError(f"{_ROUTINE} has no {token} any more")
    return text, away


def _away_of(answers: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [item for item in answers["item"] if item["linkId"] == "unavailable"]
    return [item for group in groups for item in group["item"] if item["linkId"] in _AWAY]


def _take_day(item: dict[str, Any]) -> date:
    """Put a token where the day stands, and give the day."""
    day = date.fromisoformat(item["answer"][0]["valueDate"])
    item["answer"][0]["valueDate"] = _AWAY[item["linkId"]]
    return day
