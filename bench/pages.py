"""What each page costs: its calls to the services, its bytes, and how much longer it takes than they do.

`python -m bench pages` signs in as one person of each party of the example clinic, in one process over real
SQL and no network. It opens each page of the menus a few times, and those behind them: a referral, a patient,
a claim, a meeting with cases, the day with the most visits. `ratio` is the time of the page over the time in
which calls were under way: what is above 1 is the portal's own work. Calls that are made once in five minutes
for all pages (the sentences of reasons) are made before.
"""

import gzip
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bench.clinic import EXAMPLE
from bench.counters import MONDAY, URL, served
from deploy.composition import embedded_clinic
from deploy.demo.bundles import example
from deploy.folders import keys_folder
from deploy.pages import open_pages
from deploy.services import PORTAL, SERVICES, package
from services.portal.api.menus import MENUS
from shared.auth.assertion import fetch_token
from shared.clinic import load_clinic
from shared.clock import SimulatedClock, monotonic
from shared.db import Database, migrate
from shared.events.settle import settle
from shared.fhir.codes import LUMBAR, TaskCode
from shared.http.errors import FHIR_JSON
from shared.ids import new_text_id

PEOPLE = {
    "referrer": "family-practice",
    "coordinator": "coordinator",
    "clinician": "physiotherapist",
    "insurer": "workplace-insurer",
    "operator": "operator",
    "privacy-officer": "privacy-officer",
}
Behind = Mapping[str, Mapping[str, str]]
# How many referrals of each example: its file, and the card and the number by which it differs.
_REFERRALS = {
    ("01-rapid-access-routine.json", "4082917365", "EF-10412"): 30,
    ("04-workplace-insurer.json", "7318245096", "EF-10467"): 10,
}
_CASES, _ROUNDS = 5, 7
_OTHERS = ("/auth/", "/.well-known/", *(f"/{service}/" for service in SERVICES))
_BROWSER = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one page costs; times in milliseconds, the median of some rounds."""

    party: str
    page: str
    calls: int
    html: int
    compressed: int
    took: float
    ratio: float


@dataclass
class Watched(httpx.AsyncBaseTransport):
    """The portal's way to the services, which notes when calls were under way."""

    inside: httpx.AsyncBaseTransport
    spans: list[tuple[float, float]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a call on."""
        begun = monotonic()
        answer = await self.inside.handle_async_request(request)
        self.spans.append((begun, monotonic()))
        return answer

    def under_way(self) -> float:
        """Give the seconds in which at least one call was under way."""
        total, until = 0.0, 0.0
        for begun, ended in sorted(self.spans):
            total += max(ended - max(begun, until), 0.0)
            until = max(until, ended)
        return total


async def measure() -> list[Cost]:
    """Give the cost of every page of every menu, and of those behind them."""
    costs: list[Cost] = []
    async with _portal() as (app, watched, behind):
        for party, person in PEOPLE.items():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=URL, headers=_BROWSER, follow_redirects=True
            ) as browser:
                await browser.get(f"/sign-in?person={person}")
                pages = {**{entry.path: entry.path for entry in MENUS[party]}, **behind.get(party, {})}
                for page, path in pages.items():
                    costs.append(await _cost(browser, watched, path, party=party, page=page))
    return costs


async def _cost(browser: httpx.AsyncClient, watched: Watched, path: str, *, party: str, page: str) -> Cost:
    (await browser.get(path)).raise_for_status()
    times, ratios = [], []
    for _ in range(_ROUNDS):
        watched.spans.clear()
        begun = monotonic()
        answer = await browser.get(path)
        took = monotonic() - begun
        times.append(took * 1000)
        ratios.append(took / (watched.under_way() or took))
    return Cost(
        party=party,
        page=page,
        calls=len(watched.spans),
        html=len(answer.content),
        compressed=len(gzip.compress(answer.content, 1)),
        took=statistics.median(times),
        ratio=statistics.median(ratios),
    )


@asynccontextmanager
async def _portal() -> AsyncIterator[tuple[object, Watched, Behind]]:
    """Give an app with pages, in front of the example clinic with some referrals, and the pages behind."""
    with served() as (server, _):
        clinic = load_clinic(EXAMPLE)
        clock = SimulatedClock(MONDAY)
        async with embedded_clinic(
            server, clinic, clock=clock, base_url=URL, demo_people=True
        ) as put_together:
            inside = put_together.app
            async with inside.router.lifespan_context(inside):
                keys = keys_folder(server.data)
                await _refer(inside, keys=keys)
                await settle(list(put_together.workers.values()), timeout=60)
                behind = await _behind(inside, keys=keys)
                database = Database.connect(server.url(PORTAL), name=PORTAL, pool_size=4)
                await migrate.upgrade(database, package=package(PORTAL))
                watched = Watched(httpx.ASGITransport(app=inside))
                opened = open_pages(
                    database,
                    clinic,
                    clock=clock,
                    base_url=URL,
                    calls_at=URL,
                    secret=Fernet.generate_key(),
                    transport=watched,
                )
                async with opened as pages:
                    yield _before(Starlette(routes=pages), inside), watched, behind
                await database.close()


def _before(pages: Starlette, inside: Starlette) -> object:
    """Give what is nobody else's to the pages, as the parent app does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        to = inside if scope["path"].startswith(_OTHERS) else pages
        await to(scope, receive, send)

    return app


async def _refer(app: Starlette, *, keys: Path) -> None:
    async with _client(app, "family-practice", keys=keys) as http:
        for (name, card, number), count in _REFERRALS.items():
            text = example(name, at=MONDAY).decode()
            for place in range(count):
                body = text.replace(card, f"77{place:03d}{card[-5:]}").replace(number, f"{number}-{place}")
                sent = {"content-type": FHIR_JSON, "idempotency-key": new_text_id()}
                (await http.post("/referral/fhir", content=body, headers=sent)).raise_for_status()


async def _behind(app: Starlette, *, keys: Path) -> Behind:
    """Find what has a page of its own, by party: how the page is called, and one such page."""
    async with _client(app, "physiotherapist", keys=keys) as http:
        visits = await _found(http, "/scheduling/fhir/Appointment?practitioner=Practitioner/physiotherapist")
        teams = await _found(http, "/careteam/fhir/CareTeam")
        for team in teams[:_CASES]:
            sent = {"content-type": FHIR_JSON, "idempotency-key": new_text_id()}
            (await http.post("/careteam/fhir/Task", json=_case(team), headers=sent)).raise_for_status()
        meetings = await _found(http, "/careteam/fhir/Appointment")
    async with _client(app, "family-practice", keys=keys) as http:
        referrals = await _found(http, "/referral/fhir/ServiceRequest")
    async with _client(app, "workplace-insurer", keys=keys) as http:
        claims = await _found(http, "/referral/fhir/Claim")
    days = Counter(visit["start"][:10] for visit in visits if "start" in visit)
    patient = teams[0]["subject"]["reference"].rpartition("/")[2]
    meeting = meetings[0]["id"]
    of_referral = {"/referrals/{id}": f"/referrals/{referrals[0]['id']}"}
    of_team = {"/patients/{id}": f"/patients/{patient}", "/meetings/{id}": f"/meetings/{meeting}"}
    [(day, visited)] = days.most_common(1)
    return {
        "referrer": of_referral,
        "coordinator": of_referral | of_team,
        "clinician": {f"/day ({visited} visits)": f"/day?day={day}"} | of_referral | of_team,
        "insurer": {"/claims/{id}": f"/claims/{claims[0]['id']}"},
    }


def _case(team: Mapping[str, Any]) -> dict[str, Any]:
    """Make what brings the patient of a team to the next case meeting."""
    referral = next(one["value"] for one in team["identifier"] if one.get("value"))
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "plan",
        "code": {"coding": [{"system": f"{LUMBAR}/CodeSystem/task-code", "code": TaskCode.AGENDA_ITEM}]},
        "for": team["subject"],
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "reasonCode": {"text": "What next?"},
    }


async def _found(http: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    answer = (await http.get(path, params={"_count": 200})).raise_for_status()
    return [entry["resource"] for entry in answer.json().get("entry", ())]


@asynccontextmanager
async def _client(app: Starlette, client: str, *, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Give an HTTP client of the clinic that acts as one of its clients."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=URL) as http:
        http.headers["authorization"] = f"Bearer {await fetch_token(URL, client, keys, http=http)}"
        yield http
