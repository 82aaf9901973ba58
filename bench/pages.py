"""What each page costs: its calls to the services, its bytes, and how much longer it takes than they do.

`python -m bench pages` signs in as one person of each party, in one process over real SQL and no network, and
opens each page of the menus a few times. `ratio` is the time of the page over the time in which calls were
under way: what is above 1 is the portal's own work. Calls that are made once in five minutes for all pages
(the sentences of reasons) are made before.
"""

import gzip
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.fernet import Fernet
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bench.counters import MONDAY, URL, served
from bench.referrals import bodies
from deploy.composition import embedded_clinic
from deploy.folders import keys_folder
from deploy.pages import open_pages
from deploy.services import PORTAL, SERVICES, package
from services.portal.api.menus import MENUS
from shared.auth.assertion import fetch_token
from shared.clock import SimulatedClock, monotonic
from shared.db import Database, migrate
from shared.events.settle import settle
from shared.ids import new_text_id

PEOPLE = {
    "referrer": "family-practice",
    "coordinator": "coordinator",
    "clinician": "physiotherapist",
    "insurer": "workplace-insurer",
    "operator": "operator",
    "privacy-officer": "privacy-officer",
}
_REFERRALS, _ROUNDS = 40, 7
_OTHERS = ("/auth/", "/.well-known/", *(f"/{service}/" for service in SERVICES))
_BROWSER = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one page costs; times in milliseconds, the median of some rounds."""

    path: str
    status: int
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
    """Give the cost of every page of every menu."""
    costs: list[Cost] = []
    async with _portal() as (app, watched):
        for party, person in PEOPLE.items():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=URL, headers=_BROWSER, follow_redirects=True
            ) as browser:
                await browser.get(f"/sign-in?person={person}")
                costs += [await _cost(browser, watched, entry.path) for entry in MENUS[party]]
    return costs


async def _cost(browser: httpx.AsyncClient, watched: Watched, path: str) -> Cost:
    await browser.get(path)
    times, ratios = [], []
    for _ in range(_ROUNDS):
        watched.spans.clear()
        begun = monotonic()
        answer = await browser.get(path)
        took = monotonic() - begun
        times.append(took * 1000)
        ratios.append(took / (watched.under_way() or took))
    return Cost(
        path=path,
        status=answer.status_code,
        calls=len(watched.spans),
        html=len(answer.content),
        compressed=len(gzip.compress(answer.content, 1)),
        took=statistics.median(times),
        ratio=statistics.median(ratios),
    )


@asynccontextmanager
async def _portal() -> AsyncIterator[tuple[object, Watched]]:
    """Give an app with pages in front of a clinic with some referrals."""
    with served() as (server, clinic):
        clock = SimulatedClock(MONDAY)
        async with embedded_clinic(
            server, clinic, clock=clock, base_url=URL, demo_people=True
        ) as put_together:
            inside = put_together.app
            async with inside.router.lifespan_context(inside):
                await _refer(inside, keys=keys_folder(server.data))
                await settle(list(put_together.workers.values()), timeout=60)
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
                    yield _before(Starlette(routes=pages), inside), watched
                await database.close()


def _before(pages: Starlette, inside: Starlette) -> object:
    """Give what is nobody else's to the pages, as the parent app does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        to = inside if scope["path"].startswith(_OTHERS) else pages
        await to(scope, receive, send)

    return app


async def _refer(app: Starlette, *, keys: Path) -> None:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        token = await fetch_token(URL, "family-practice", keys, http=http)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
        for body in bodies(range(_REFERRALS), at=MONDAY):
            sent = headers | {"idempotency-key": new_text_id()}
            (await http.post("/referral/fhir", content=body, headers=sent)).raise_for_status()
