"""Idempotency keys: after a crash a client cannot know, so the same key gives the same answer.

Invariants:
- Only commands are kept. A kept answer names the resource that it is about, and whoever gives it again has
  read that resource in the caller's row scope first.
- A key is put down before anything is done for it, so of ten of the same at once nine wait for the first.
- The answer is stored in the transaction of its effect: both stand, or neither.
- A refusal is not stored: nothing happened, so the same key may try again.
- A key is forgotten after 7 days of machine time.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.responses import Response

from shared import failpoints, indexed_text
from shared.clock import machine_now, monotonic
from shared.db import Transaction
from shared.db.models import StoredResource
from shared.errors import Invalid

KEPT_FOR = timedelta(days=7)

_SWEEP_EVERY = 3600.0
_last_sweep: dict[str, float] = {}

_PUT_DOWN = """
INSERT INTO idempotency (client, key, request_hash, status, headers, body, machine_at)
VALUES ($1, $2, $3, 0, '{}', '', $4)
ON CONFLICT (client, key) DO UPDATE
SET request_hash = excluded.request_hash, machine_at = excluded.machine_at
WHERE idempotency.machine_at <= $5
"""
_FIND = "SELECT request_hash, status, headers, body, about FROM idempotency WHERE client = $1 AND key = $2"
_STORE = """
UPDATE idempotency SET status = $3, headers = $4, body = $5, about = $6 WHERE client = $1 AND key = $2
"""
_FORGET = "DELETE FROM idempotency WHERE machine_at <= $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The answer to a command that was done before, and the resource that it is about (`Task/<id>`).

    `about` is None where a version of us kept it that did not write that down.
    """

    response: Response
    about: str | None


class Replayed(Exception):
    """A kept answer may be given again; ends the transaction, nothing is written.

    `row` is the resource that the answer is about, as it stands now; None where it is about none.
    """

    def __init__(self, kept: KeptAnswer, *, row: StoredResource | None) -> None:
        super().__init__()
        self.response = kept.response
        self.about = kept.about
        self.row = row


class KeyUsedOtherwise(Invalid):
    """The key came before with another body or condition, or for another address."""

    code = "duplicate"


class NotAKey(Invalid):
    """The key is longer than a key may be, empty, or holds what cannot be kept."""

    code = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """One request with an Idempotency-Key."""

    client: str
    key: str = field(repr=False)
    request_hash: str

    @classmethod
    def of(
        cls,
        *,
        client: str,
        key: str,
        method: str,
        address: str,
        body: bytes,
        conditions: Mapping[str, str] | None = None,
    ) -> "KeyedRequest":
        """Take the hash of what is asked; `address` is the path with its query, `conditions` the headers that
        say under what condition, or about whom.
        """
        if (text := indexed_text.wrong(key)) is not None:
            raise NotAKey(text, expression="Idempotency-Key")
        asked = [f"{method} {address}", *(f"{name}: {text}" for name, text in (conditions or {}).items())]
        content = hashlib.sha256("\n".join([*asked, ""]).encode() + body).hexdigest()
        return cls(client=client, key=key, request_hash=content)


async def begin(tx: Transaction, request: KeyedRequest) -> KeptAnswer | None:
    """Put the key down, or return the answer that is kept under it; raises KeyUsedOtherwise."""
    now = machine_now()
    put_down = (request.client, request.key, request.request_hash, now, now - KEPT_FOR)
    if await tx.run(_PUT_DOWN, *put_down):
        failpoints.reach("key_locked")
        return None
    [found] = await tx.records(_FIND, request.client, request.key)
    if found["request_hash"] != request.request_hash:
        raise KeyUsedOtherwise(
            "this Idempotency-Key came before with another body or condition or for another address"
        )
    headers = {**found["headers"], "Idempotent-Replayed": "true"}
    response = Response(found["body"], status_code=found["status"], headers=headers)
    return KeptAnswer(response=response, about=found["about"])


async def store(tx: Transaction, request: KeyedRequest, response: Response, *, about: str) -> None:
    """Keep the answer under its key, in the transaction of its effect, with the resource that it is about."""
    headers = {name: text for name, text in response.headers.items() if name != "content-length"}
    answer = (response.status_code, headers, bytes(response.body), about)
    await tx.run(_STORE, request.client, request.key, *answer)
    if monotonic() - _last_sweep.get(tx.database.name, float("-inf")) > _SWEEP_EVERY:
        _last_sweep[tx.database.name] = monotonic()
        await tx.run(_FORGET, machine_now() - KEPT_FOR)
