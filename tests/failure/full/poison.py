"""Bad events among ten thousand good ones: the good arrive and are not delayed, the bad are held."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException, Producer

from shared.clock import monotonic
from shared.events.topics import CARETEAM, REFERRAL, SCHEDULING
from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from shared.ids import new_text_id
from tests.failure.audit.evidence import PLANTED, rows
from tests.failure.full.run import Fault, Harm, Run
from tests.failure.healing import drain
from tests.failure.places.cluster import ClusterPlace
from tests.failure.places.place import Databases
from tests.failure.traffic import Traffic

TOPICS = {
    REFERRAL: ("referral", "referral.accepted"),
    SCHEDULING: ("scheduling", "appointment.booked"),
    CARETEAM: ("careteam", "careteam.formed"),
}
_FIVE_MEGABYTES = 5_000_000
# How long after its event was made (its id tells when) a consumer has begun to handle it, in milliseconds.
_DELAYS = (
    "SELECT extract(epoch FROM machine_at) * 1000"
    " - ('x' || lpad(replace(left(event_id, 13), '-', ''), 16, '0'))::bit(64)::bigint AS delay"
    " FROM inbox WHERE machine_at >= to_timestamp(:since) AND machine_at < to_timestamp(:until)"
    " AND event_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7'"
)
_LOOKS_EVERY = 0.5


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One bad record; `is_held` says whether it must be, which an unknown newer type must not."""

    name: str
    key: str
    headers: Mapping[str, str]
    value: bytes
    is_held: bool = True


def poison(events: int) -> Fault:
    """Let half of the events pass by themselves, the other half among bad ones of every kind."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        place = run.place
        async with place.databases() as databases:
            start = await _clock(databases)
            await _until_handled(databases, events // 2)
            middle = await _clock(databases)
            begin, planted, refused = monotonic(), 0, set()
            for topic in TOPICS:
                for bad in bad_ones(topic):
                    key = await _plant(place, databases, topic, bad)
                    planted += key is not None
                    refused |= set() if key is not None else {bad.name}
                    run.planted |= {key} if key is not None and bad.is_held else set()
            await _until_handled(databases, events)
            until = monotonic()
            end = await _clock(databases)
            await traffic.finish()
            await drain(place, databases, planted=frozenset(run.planted))
            remarks = [
                f"{events:,} events; the slowest 1% of a consumer's beginnings came after"
                f" {await _p99(databases, start, middle):.0f} ms before the bad ones and"
                f" {await _p99(databases, middle, end):.0f} ms among them",
                await _held(databases, run),
            ]
        if refused:
            remarks.append(f"the broker refuses by itself: {', '.join(sorted(refused))}")
        return Harm(injected=planted, since=begin, until=until, remarks=remarks)

    return fault


def bad_ones(topic: str) -> Sequence[Bad]:
    publisher, event_type = TOPICS[topic]

    def headers(**changed: str) -> dict[str, str]:
        right = {
            "ce_specversion": "1.0",
            "ce_id": new_text_id(),
            "ce_type": event_type,
            "ce_source": f"https://lumbar.example/{publisher}",
            "ce_subject": "Nothing/planted",
            "ce_time": "2026-01-05T12:00:00+00:00",
            "ce_version": "1",
            PLANTED: "yes",
        }
        return right | changed

    whole = json.dumps(_message({"resourceType": "Basic", "id": "planted"})).encode()
    large = json.dumps({"resourceType": "Basic", "text": "x" * _FIVE_MEGABYTES}).encode()
    made = (
        ("no JSON", headers(), b"{"),
        ("wrong version of the envelope", headers(ce_specversion="9.9"), whole),
        ("five megabytes", headers(), large),
        ("a focus that no handler understands", headers(), whole),
        ("an unknown newer type", headers(ce_type=f"{publisher}.teleported"), whole),
    )
    bad = [
        Bad(name=name, key=new_text_id(), headers=named, value=value, is_held="unknown" not in name)
        for name, named, value in made
    ]
    return [*bad, Bad(name="no patient", key="", headers=headers(), value=whole)]


def _message(focus: Mapping[str, Any]) -> dict[str, Any]:
    header = {"resourceType": "MessageHeader", "eventCoding": {"code": "planted"}}
    return {"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}, {"resource": focus}]}


async def _plant(place: ClusterPlace, databases: Databases, topic: str, bad: Bad) -> str | None:
    """Put a record where events are, past the outbox, and give the key that is to be held for it."""
    if place.cluster.kafka is not None:
        return await asyncio.to_thread(_produce, place, topic, bad)
    row = OutboxRow(id=0, event_id=bad.name, topic=topic, key=bad.key, headers=bad.headers, value=bad.value)
    async with databases[TOPICS[topic][0]].transaction() as tx:
        offset = await event_log.append(tx, topic, [row])
    return bad.key or f"{topic}/0/{offset}"


def _produce(place: ClusterPlace, topic: str, bad: Bad) -> str | None:
    assert place.cluster.kafka is not None
    settings = {"bootstrap.servers": place.cluster.kafka.bootstrap, "message.max.bytes": 10_000_000}
    producer = Producer({**settings, "log_level": 0})
    found: list[str] = []

    def taken(error: object, message: Any) -> None:
        if error is None:
            found.append(bad.key or f"{topic}/{message.partition()}/{message.offset()}")

    try:
        producer.produce(
            topic,
            key=bad.key or None,
            value=bad.value,
            headers=list(bad.headers.items()),
            on_delivery=taken,
        )
        producer.flush(20)
    except KafkaException:
        return None
    return found[0] if found else None


async def _until_handled(databases: Databases, number: int) -> None:
    statement = "SELECT count(*) AS handled FROM inbox"
    while True:
        if (await rows(databases["notifications"], statement))[0]["handled"] >= number:
            return
        await asyncio.sleep(_LOOKS_EVERY)


async def _clock(databases: Databases) -> float:
    found = await rows(databases["notifications"], "SELECT extract(epoch FROM clock_timestamp()) AS now")
    return float(found[0]["now"])


async def _p99(databases: Databases, since: float, until: float) -> float:
    delays = [
        float(row["delay"])
        for database in databases.values()
        for row in await rows(database, _DELAYS, since=since, until=until)
    ]
    return sorted(delays)[int(len(delays) * 0.99)] if delays else 0.0


async def _held(databases: Databases, run: Run) -> str:
    held = {
        (service, row["key"], row["state"])
        for service, database in databases.items()
        for row in await rows(database, "SELECT key, state FROM held_key")
    }
    keys = {key for _, key, _ in held}
    for key in run.planted - keys:
        run.history.complaints.append(f"I11: the planted key {key} is not held")
    return f"{len(run.planted)} planted keys are held by {len({service for service, _, _ in held})} services"
