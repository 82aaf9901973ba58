"""The loop of one receiver: its first open message is leased, sent outside any transaction, and recorded.

Invariants:
- One message at a time and in order: while the first one fails, the later ones wait; other receivers have
  loops of their own.
- A crash repeats at most the message in flight, with the same webhook-id and the same bytes.
"""

from datetime import datetime, timedelta

from services.notifications import queries, use_cases
from services.notifications.rules.signature import signature_headers
from services.notifications.states import Outcome
from services.notifications.use_cases.record import Result
from services.notifications.use_cases.take import Lease, Outgoing
from services.notifications.worker.sender import LEASE
from shared import failpoints
from shared.clinic import Webhook
from shared.clock import machine_now
from shared.ids import new_id
from shared.outbound import Outbound, SecretUnusable, Unreached, read_secrets
from shared.runtime import Runtime

_GONE = 410


class WebhookSender:
    """Sends to one receiver what its party may hear."""

    def __init__(
        self, runtime: Runtime, receiver: Webhook, *, outbound: Outbound, lease: timedelta = LEASE
    ) -> None:
        self.name = f"notifications.webhooks.{receiver.id}"
        self._runtime = runtime
        self._receiver = receiver
        self._secrets = outbound.secrets
        self._post = outbound.post_to(runtime.clinic.webhook_hosts)
        self._lease = lease

    async def run_once(self) -> bool:
        """Send the first open message, if it is due; tell whether there was one."""
        found, sent = await self._take()
        if sent is not None:
            failpoints.reach("leased_not_sent")
            result = await self._deliver(sent)
            failpoints.reach("sent_not_recorded")
            await self._record(sent, result)
            failpoints.reach("recorded")
        return found

    async def pending(self, now: datetime) -> int:
        """Count 1 where the first open message is due at this care time: the others wait behind it."""
        due = await self.next_due()
        return int(due is not None and due <= now)

    async def next_due(self) -> datetime | None:
        """Tell when the first open message is due."""
        return await queries.receivers.delivery_due(
            self._runtime.database, recipient=self._receiver.recipient
        )

    async def _take(self) -> tuple[bool, Outgoing | None]:
        now = machine_now()
        lease = Lease(token=new_id(), machine_now=now, machine_until=now + self._lease)
        async with self._runtime.database.transaction() as tx:
            return await use_cases.deliver.take_next(
                self._runtime.context(cause=None), tx, self._receiver, lease=lease
            )

    async def _deliver(self, sent: Outgoing) -> Result:
        """Sign and send; never raises for a fault of the receiver, the road or the secret."""
        try:
            headers = signature_headers(
                str(sent.id),
                machine_seconds=int(machine_now().timestamp()),
                body=sent.body,
                secrets=read_secrets(self._secrets, self._receiver.id),
            )
            status = await self._post.send(
                sent.address,
                body=sent.body,
                headers={**headers, "Content-Type": "application/fhir+json", "User-Agent": "Lumbar"},
            )
        except Unreached as error:
            return Result(outcome=Outcome.FAILED, detail=str(error))
        except SecretUnusable:
            return Result(outcome=Outcome.FAILED, detail="no usable secret")
        return _answered(status)

    async def _record(self, sent: Outgoing, result: Result) -> None:
        async with self._runtime.database.transaction() as tx:
            await use_cases.deliver.record_delivery(
                self._runtime.context(cause=None), tx, self._receiver, sent, result
            )


def _answered(status: int) -> Result:
    """Read a status as Standard Webhooks does: 2xx took it, 410 ends the receiver, all else may pass."""
    if 200 <= status < 300:
        return Result(outcome=Outcome.TAKEN)
    outcome = Outcome.REFUSED if status == _GONE else Outcome.FAILED
    return Result(outcome=outcome, detail=f"status {status}")
