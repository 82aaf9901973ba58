"""Killed from outside at any moment, `lumbar up` loses nothing that it acknowledged, and repeats nothing.

`make test` kills it 10 times, `make kills` 50 times; LUMBAR_KILLS and LUMBAR_SEED say otherwise.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.attach import attached
from shared.auth.assertion import TokenRefused, fetch_token
from shared.auth.keys import KeyFileError
from shared.clock import monotonic
from tests.failure.auditor import Notes, Operation, audit
from tests.failure.draining import drain
from tests.failure.referrals import new_key, routine_referral
from tests.support.folders import open_folder
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.process import LumbarProcess

KILLS = int(os.environ.get("LUMBAR_KILLS", "10"))
SEED = int(os.environ.get("LUMBAR_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
SENDER = "family-practice"
_PAUSE = 0.3
_LANES = 3
_TOKEN_LASTS = 200.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.mark.timeout(1200)
async def test_nothing_is_lost_and_nothing_happens_twice_when_the_process_is_killed(folder: Path) -> None:
    chance, notes = random.Random(SEED), Notes()
    async with open_mailbox() as mailbox:
        with LumbarProcess(folder / "data", environment={"LUMBAR_SMTP_URL": mailbox.url}) as clinic:
            findings = await kill_and_audit(clinic, mailbox, notes, chance)
    assert findings == [], f"seed {SEED}: {findings[:20]}"
    assert sum(operation.referral is not None for operation in notes.operations) >= KILLS // 2
    assert sum(operation.unknown for operation in notes.operations) > 0


async def kill_and_audit(
    clinic: LumbarProcess, mailbox: Mailbox, notes: Notes, chance: random.Random
) -> list[str]:
    """Kill while a practice sends, let everything heal and drain, and give what the auditor found."""
    practice = Practice(clinic, notes, chance)
    sending = asyncio.create_task(practice.send_until_told())
    started, recoveries = monotonic(), await kill_again_and_again(clinic, chance)
    practice.enough.set()
    await asyncio.wait_for(sending, 120)
    clinic.stop()
    await run_out_leases(clinic.data)
    clinic.start()
    await asyncio.to_thread(clinic.wait_until_ready)
    async with attached(clinic.data) as databases:
        await drain(databases)
        notes.letters = letters_in(mailbox)
        findings = await audit(databases, notes)
    clinic.stop()
    report(notes, recoveries, seconds=monotonic() - started)
    return findings


async def kill_again_and_again(clinic: LumbarProcess, chance: random.Random) -> list[float]:
    """Start and kill, mostly while it serves, sometimes while it starts; give the times to be ready again."""
    recoveries = []
    clinic.start()
    for _ in range(KILLS):
        if chance.random() < 0.15:
            await asyncio.sleep(chance.uniform(0.1, 2.0))
        else:
            recoveries.append(await asyncio.to_thread(clinic.wait_until_ready))
            await asyncio.sleep(chance.uniform(0.0, 1.5))
        clinic.kill()
        clinic.start()
    recoveries.append(await asyncio.to_thread(clinic.wait_until_ready))
    return recoveries


class Practice:
    """A referrer's system: sends referrals, and sends again with the same key what it does not know of."""

    def __init__(self, clinic: LumbarProcess, notes: Notes, chance: random.Random) -> None:
        self.enough = asyncio.Event()
        self._clinic = clinic
        self._notes = notes
        self._chance = chance
        self._token = ""
        self._token_until = 0.0

    async def send_until_told(self) -> None:
        """Send referrals, a few at a time; in the end, send again what is not known."""
        async with httpx.AsyncClient(base_url=self._clinic.url, timeout=10) as http:
            await asyncio.gather(*(self._send_in_turn(http) for _ in range(_LANES)))

    async def _send_in_turn(self, http: httpx.AsyncClient) -> None:
        while not self.enough.is_set():
            await self._send_one(http, len(self._notes.operations) + 1)
            await asyncio.sleep(self._chance.uniform(0, _PAUSE))

    async def _send_one(self, http: httpx.AsyncClient, number: int) -> None:
        token, body = routine_referral(number)
        operation, key = Operation(token=token), new_key()
        self._notes.operations.append(operation)
        gives_up_after = 1 if self._chance.random() < 0.1 else 10_000
        while operation.referral is None and operation.unknown < gives_up_after:
            operation.referral = await self._try(http, body, key, operation)
            if operation.referral is None:
                await asyncio.sleep(0.05)

    async def _try(self, http: httpx.AsyncClient, body: bytes, key: str, operation: Operation) -> str | None:
        try:
            headers = await self._headers(http) | {"Idempotency-Key": key}
        except (httpx.TransportError, TokenRefused, KeyFileError):
            return None
        operation.attempts += 1
        try:
            answer = await http.post("/referral/fhir", content=body, headers=headers)
        except httpx.ConnectError:
            return None
        except httpx.TransportError:
            operation.unknown += 1
            return None
        if answer.status_code >= 500:
            operation.unknown += 1
            return None
        assert answer.status_code == 200, answer.text
        locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
        return next(one.split("/")[1] for one in locations if one.startswith("ServiceRequest/"))

    async def _headers(self, http: httpx.AsyncClient) -> dict[str, str]:
        if monotonic() > self._token_until:
            self._token = await fetch_token(self._clinic.url, SENDER, self._clinic.data / "keys", http=http)
            self._token_until = monotonic() + _TOKEN_LASTS
        return {"Authorization": f"Bearer {self._token}", "Content-Type": "application/fhir+json"}


async def run_out_leases(data: Path) -> None:
    """Let five minutes pass for whoever died while sending: its leases are over."""
    async with attached(data) as databases, databases["notifications"].transaction() as tx:
        await tx.sql(
            "UPDATE notification SET machine_lease_until = now() - interval '1 second'"
            " WHERE machine_lease_until IS NOT NULL"
        )


def letters_in(mailbox: Mailbox) -> Counter[str]:
    """Count the letters by Message-ID."""
    return Counter(str(letter["Message-ID"]) for letter in mailbox.letters)


def report(notes: Notes, recoveries: list[float], *, seconds: float) -> None:
    """Print the figures of the run; pytest shows them where it fails or with -s."""
    sent = notes.operations
    slow = sorted(recoveries)[int(len(recoveries) * 0.99)] if recoveries else 0.0
    print(  # noqa: T201
        f"\nseed {SEED}: {KILLS} kills in {seconds:.0f} s; {len(sent)} referrals,"
        f" {sum(one.referral is not None for one in sent)} acknowledged,"
        f" {sum(one.unknown > 0 for one in sent)} unknown at least once; {notes.letters.total()} letters,"
        f" {notes.letters.total() - len(notes.letters)} of them repeated;"
        f" ready again after {sorted(recoveries)[len(recoveries) // 2]:.1f} s (p50), {slow:.1f} s (p99)"
    )
