"""The gateway's figures: what it answered, by part and status, and replicas that did not answer."""

import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import monotonic
from shared.telemetry import metrics
from shared.telemetry.log_throttle import LogThrottle
from shared.telemetry.registry import REGISTRY

log = structlog.get_logger("lumbar.gateway")
_throttle = LogThrottle()
_AWAY = Counter(
    "lumbar_gateway_replicas_away",
    "Requests that a replica did not answer, by part; `failure` says whether they were sent",
    ["part", "failure"],
    registry=REGISTRY,
)


class Measured:
    """An app with `/metrics`; everything else is timed by the part that the app puts into the state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == "/metrics":
            await _told(send)
        else:
            await self._timed(scope, receive, send)

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = monotonic(), 500

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, answering)
        finally:
            metrics.request_answered(
                service="gateway",
                method=scope["method"],
                route=scope.get("state", {}).get("part", "unknown"),
                status=status,
                seconds=monotonic() - started,
            )


def replica_away(part: str, *, was_sent: bool) -> None:
    """Count a replica that did not answer, and say so once a minute."""
    _AWAY.labels(part, "unanswered" if was_sent else "not-reached").inc()
    if (kept := _throttle.allow(part)) is not None:
        log.warning("gateway.replica-away", part=part, count=kept + 1, runbook="ReplicaNotAnswering")


async def _told(send: Send) -> None:
    content = await metrics.exposition({})
    kind = (b"content-type", b"text/plain; version=0.0.4")
    await send({"type": "http.response.start", "status": 200, "headers": [kind]})
    await send({"type": "http.response.body", "body": content})
