"""The rows of questions: a read by id beside a bare answer, an insurer's question beside a bare lookup."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx

from bench import machine
from bench.ingest import echoing, rate_of
from bench.load import Orders
from bench.results import Result, against_floor
from bench.running import RunningClinic, generate
from deploy.demo.bundles import example

ROUNDS = 3
_CONNECTIONS = 16
_MEMBERS = 60
_PAYER = "workplace-insurer"
_CLAIM_EXAMPLE = "04-workplace-insurer.json"
_CARD, _NUMBER, _MEMBER = "7318245096", "EF-10467", "WB-778120-3"
# What the answer is made of, by the least that brings it: the member's Claims, and their current answers.
_LOOKUP = """
SELECT claim.*, answer.body AS answer FROM claim
LEFT JOIN claim_response AS answer ON answer.claim_id = claim.id AND answer.current
WHERE claim.members && $1::text[] AND claim.payer = $2 AND claim.consented
"""


async def read(clinic: RunningClinic, *, quick: bool) -> list[Result]:
    """Read Tasks of referrals by id as their sender, in turns with a bare route that gives the same bytes."""
    await clinic.post(200, connections=_CONNECTIONS)
    token, count = await clinic.token("family-practice"), 1500 if quick else 4000
    async with httpx.AsyncClient(base_url=clinic.url, headers={"Authorization": f"Bearer {token}"}) as http:
        found = (await http.get("/referral/fhir/Task?_count=100")).raise_for_status().json()
        tasks = [f"/referral/fhir/Task/{entry['resource']['id']}" for entry in found["entry"]]
        body = (await http.get(tasks[0])).raise_for_status().content
    pairs, spins = [], []
    with echoing() as port:
        async with httpx.AsyncClient() as http:
            await http.put(f"http://127.0.0.1:{port}/kept", content=body)
        for _ in range(ROUNDS + 1):
            spins.append(machine.spin())
            reads = await _rate(clinic.port, token, count, [("GET", path, "") for path in tasks])
            bare = await _rate(port, token, 3 * count, [("GET", "/kept", "")])
            pairs.append((reads, bare))
    return [against_floor("read", "embedded", pairs[1:], spins=spins[1:], connections=_CONNECTIONS)]


async def inquire(clinic: RunningClinic, *, quick: bool) -> list[Result]:
    """Ask as the insurer where its members' Claims stand, in turns with asyncpg's lookup of the same rows."""
    members = await _send_claims(clinic)
    token, count = await clinic.token("workplace-insurer"), 1000 if quick else 3000
    asked = [("POST", "/referral/fhir/Claim/$inquire", _question(member)) for member in members]
    pool = await asyncpg.create_pool(clinic.database_url("referral"), min_size=8, max_size=8)
    pairs, spins = [], []
    for _ in range(ROUNDS + 1):
        spins.append(machine.spin())
        pairs.append(
            (await _rate(clinic.port, token, count, asked), await _look_up(pool, members, 3 * count))
        )
    await pool.close()
    found = against_floor("inquire", "embedded", pairs[1:], spins=spins[1:], connections=_CONNECTIONS)
    # The design gives this row a rate for its goal: the lookup stands beside it and is no target.
    return [replace(found, ratio=None)]


async def _send_claims(clinic: RunningClinic) -> list[str]:
    """Send referrals that need an authorization, each of a member of its own, and give the member ids."""
    text = example(_CLAIM_EXAMPLE, at=datetime.now(UTC)).decode()
    members = [f"WB-{number:06d}-1" for number in range(_MEMBERS)]
    token = await clinic.token("family-practice")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    async with httpx.AsyncClient(base_url=clinic.url, headers=headers) as http:
        for number, member in enumerate(members):
            body = text.replace(_MEMBER, member).replace(_CARD, f"88800{number:05d}")
            body = body.replace(_NUMBER, f"BN-9{number:05d}")
            (await http.post("/referral/fhir", content=body)).raise_for_status()
    return members


def _question(member: str) -> str:
    parameter: dict[str, Any] = {"name": "member-id", "valueIdentifier": {"value": member}}
    return json.dumps({"resourceType": "Parameters", "parameter": [parameter]})


async def _look_up(pool: asyncpg.Pool, members: list[str], count: int) -> float:
    async def lane() -> None:
        async with pool.acquire() as connection:
            for number in range(count // 8):
                member = members[number % len(members)]
                if len(await connection.fetch(_LOOKUP, [member], _PAYER)) != 1:
                    raise ValueError("the lookup does not find the Claim of a member")

    began = time.monotonic()
    await asyncio.gather(*(lane() for _ in range(8)))
    return count / (time.monotonic() - began)


async def _rate(port: int, token: str, count: int, requests: list[tuple[str, str, str]]) -> float:
    orders = Orders(
        port=port, path="", token=token, first=0, count=count, connections=_CONNECTIONS, requests=requests
    )
    sent = await generate(orders)
    if sent["failures"]:
        raise ValueError(f"answered {sent['failures']}")
    return rate_of(sent, count)
