"""What a story's script works with: its parties' HTTP calls, the clinic's calendar, and the steps it must
see happen.
"""

import traceback
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from deploy.demo.bundles import example
from deploy.demo.timetable import Script
from shared.clock import Clock

Resource = dict[str, Any]
Play = Callable[["Story"], Coroutine[Any, Any, None]]


class StepMissed(Exception):
    """A step of a story did not happen; the text says what was expected and what was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the timeline: care time, which story, who, what happened, and the event or the call."""

    at: datetime
    story: int | None
    who: str
    what: str
    event: str


@dataclass(kw_only=True)
class Story:
    """One story of the demo; `parties` gives an HTTP client with the named party's own token (a patient has
    none), `letters` the texts of the letters to an address.
    """

    number: int
    title: str
    script: Script
    clock: Clock
    begin: datetime
    zone: ZoneInfo
    parties: Callable[[str], Awaitable[httpx.AsyncClient]]
    timeline: list[Line]
    letters: Callable[[str], list[str]]
    referrals: set[str] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)
    asides: list["Story"] = field(default_factory=list)
    failed: str | None = None
    finished: bool = False

    async def tell(self, play: Play) -> None:
        """Run a script of this story; what goes wrong in it ends this script and no other."""
        try:
            await play(self)
            self.finished = True
        except StepMissed as missed:
            self.failed = str(missed)
        except (LookupError, TypeError, ValueError, AttributeError, httpx.HTTPError) as error:
            self.failed = f"{type(error).__name__} in {_place(error)}: {error}"

    async def meanwhile(self, play: Play) -> None:
        """Run another script of this story beside this one; it counts like a step of it."""
        aside = replace(self, script=self.script.beside(self.title), asides=[], failed=None, finished=False)
        self.asides.append(aside)
        aside.script.begin(aside.tell(play))
        await aside.script.rest()

    @property
    def missed(self) -> str | None:
        """Say what did not happen, None where everything did."""
        found = [one.missed for one in self.asides if one.missed is not None]
        if self.failed is not None:
            return self.failed
        return found[0] if found else None if self.finished else "it still waits at the end"

    async def until(self, day: int, wall: str = "09:00") -> None:
        """Wait for a local wall-clock time, `day` days after the demo's first day."""
        hour, minute = (int(part) for part in wall.split(":"))
        local = (self.begin.astimezone(self.zone) + timedelta(days=day)).date()
        await self.until_moment(datetime.combine(local, time(hour, minute), self.zone).astimezone(UTC))

    async def until_moment(self, moment: datetime) -> None:
        """Wait for a care time."""
        await self.script.until(moment)

    async def settled(self) -> None:
        """Wait until everything that was set going has happened."""
        await self.script.until(self.clock.now())

    async def later(self, *, minutes: int = 10) -> None:
        """Wait until everything has happened and some minutes have passed."""
        await self.script.until(self.clock.now() + timedelta(minutes=minutes))

    def expect(self, claim: str, holds: bool, found: object = "") -> None:
        """Note a step that must have happened; raises StepMissed when it did not."""
        if not holds:
            raise StepMissed(f"{claim}; found {found}" if found != "" else claim)
        self.steps.append(claim)

    async def send(self, party: str, file: str) -> httpx.Response:
        """Send an example Bundle as this practice, with an Idempotency-Key of its own."""
        body = example(file, at=self.clock.now())
        self.note(party, "sends a referral", f"POST {file}")
        answer = await self.act(party, "POST", "/referral/fhir", body=body)
        self.referrals.add(location_of(answer, "ServiceRequest"))
        return answer

    async def act(
        self,
        party: str,
        method: str,
        path: str,
        *,
        body: bytes | Resource | None = None,
        version: int | None = None,
        key: str | None = None,
        status: int | None = None,
    ) -> httpx.Response:
        """Make a call with a party's token; `version` is sent as If-Match, `status` (or any 2xx) must come
        back.
        """
        headers = {"content-type": "application/fhir+json"}
        if method in ("POST", "PUT"):
            headers["idempotency-key"] = key or str(uuid.uuid4())
        if version is not None:
            headers["if-match"] = f'W/"{version}"'
        client = await self.parties(party)
        if isinstance(body, bytes):
            answer = await client.request(method, path, content=body, headers=headers)
        else:
            answer = await client.request(method, path, json=body, headers=headers)
        wanted = answer.is_success if status is None else answer.status_code == status
        if not wanted:
            raise StepMissed(f"{party}: {method} {path} answered {answer.status_code}: {answer.text[:600]}")
        return answer

    async def read(self, party: str, path: str) -> Resource:
        """Read one resource as a party."""
        resource: Resource = (await self.act(party, "GET", path)).json()
        return resource

    async def find(self, party: str, path: str) -> list[Resource]:
        """Search as a party and give the matches of the first page."""
        bundle = await self.read(party, path)
        return [entry["resource"] for entry in bundle.get("entry", [])]

    def note(self, who: str, what: str, event: str = "") -> None:
        """Put a line into the timeline."""
        self.timeline.append(Line(at=self.clock.now(), story=self.number, who=who, what=what, event=event))


def _place(error: BaseException) -> str:
    """Name the last line of the demo's own code that an error passed."""
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if "/demo/" in frame.filename]
    return f"{Path(places[-1].filename).name}:{places[-1].lineno}" if places else "the clinic"


def parameters(**values: Any) -> Resource:
    """Make a Parameters resource: strings as valueString, references (`Type/id`) as valueReference."""
    return {
        "resourceType": "Parameters",
        "parameter": [_parameter(name, value) for name, value in values.items()],
    }


def _parameter(name: str, value: Any) -> Resource:
    if isinstance(value, bool):
        return {"name": name, "valueBoolean": value}
    if isinstance(value, dict):
        return {"name": name, "resource" if "resourceType" in value else "valueReference": value}
    return {"name": name, "valueString": str(value)}


def location_of(answer: httpx.Response, resource_type: str) -> str:
    """Read the id that a transaction-response gave to the first resource of this type."""
    for entry in answer.json()["entry"]:
        parts = str(entry["response"].get("location", "")).split("/")
        if resource_type in parts:
            return parts[parts.index(resource_type) + 1]
    raise StepMissed(f"the answer names no {resource_type}")
