"""The referrals that are sent: the routine example of the demo, each of another patient, over all sites."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.clinic import SITES, programme_of, site_of
from deploy.demo.bundles import example
from shared.fhir.codes import PROGRAMME_SYSTEM

_ROUTINE = "01-rapid-access-routine.json"
_CARD, _NUMBER = "4082917365", "EF-10412"
_PROGRAMME = "the-programme-of-the-site"


def bodies(numbers: range, *, sites: int = SITES, at: datetime | None = None) -> Iterator[bytes]:
    """Make the Bundles of these numbers, spread over so many sites; each is another patient's.

    Their dates are those of a referral sent at `at`, else now.
    """
    template = _template(at or datetime.now(UTC))
    for number in numbers:
        yield (
            template.replace(_CARD, f"77700{number:05d}")
            .replace(_NUMBER, f"BN-000{number:05d}")
            .replace(_PROGRAMME, programme_of(site_of(number % sites)))
            .encode()
        )


def _template(at: datetime) -> str:
    bundle = json.loads(example(_ROUTINE, at=at))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "ServiceRequest":
            resource["code"]["coding"] = [{"system": PROGRAMME_SYSTEM, "code": _PROGRAMME}]
    text = json.dumps(bundle, separators=(",", ":"))
    for token in (_CARD, _NUMBER, _PROGRAMME):
        if token not in text:
            raise ValueError(f"{_ROUTINE} has no {token} any more")
    return text
