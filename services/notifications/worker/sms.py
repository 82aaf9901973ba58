"""The way of text messages: an HTTP gateway that takes one JSON document for each.

It is sent `{"id": ..., "to": ..., "text": ...}` by POST; the id, in `Idempotency-Key` too, is the same for
every attempt of one message. Any 2xx took it, 4xx refused it for good but for 408, 425 and 429.

Invariant: what it tells of a failure is a class or a status, never a number or a gateway's text.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from uuid import UUID

import httpx

from services.notifications.rules.patient_mail import text_message
from services.notifications.states import Outcome
from services.notifications.use_cases.record import Result
from services.notifications.use_cases.take import Outgoing
from shared.runtime import Runtime

TIMEOUT = 10.0
_MAY_PASS = (408, 425, 429)


class Gateway:
    """A gateway for text messages, given as a URL."""

    def __init__(self, runtime: Runtime, url: str) -> None:
        self._runtime = runtime
        self._url = url

    async def send(
        self, outgoing: Sequence[Outgoing], *, at: datetime
    ) -> AsyncGenerator[tuple[UUID, Result], None]:
        """Hand texts over and tell what became of each before the next one goes."""
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as http:
            for message in outgoing:
                yield message.id, await self._hand_over(http, message)

    async def _hand_over(self, http: httpx.AsyncClient, message: Outgoing) -> Result:
        if message.to_patient is None:
            return Result(outcome=Outcome.REFUSED, detail="no patient's")
        said = message.to_patient
        text = text_message(said.language, secret=said.secret, base_url=self._runtime.base_url)
        body = {"id": str(message.id), "to": message.address, "text": text}
        try:
            answer = await http.post(self._url, json=body, headers={"Idempotency-Key": str(message.id)})
        except httpx.HTTPError as error:
            return Result(outcome=Outcome.FAILED, detail=type(error).__name__)
        return _answered(answer.status_code)


def _answered(status: int) -> Result:
    if 200 <= status < 300:
        return Result(outcome=Outcome.TAKEN)
    is_final = 400 <= status < 500 and status not in _MAY_PASS
    return Result(outcome=Outcome.REFUSED if is_final else Outcome.FAILED, detail=f"status {status}")
