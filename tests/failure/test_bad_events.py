"""A bad event of each kind is held by whoever handles its type, and nobody passes over it in silence."""

from datetime import UTC, datetime

from shared.events.transport import event_log
from shared.events.transport.base import OutboxRow
from tests.failure.audit.evidence import rows
from tests.failure.full.poison import TOPICS, bad_ones
from tests.support.clinic import TestClinic
from tests.support.eventually import eventually


async def test_each_kind_of_bad_event_is_held_and_a_newer_type_is_not() -> None:
    async with TestClinic(start=datetime.now(UTC)) as clinic:
        planted: dict[str, bool] = {}
        for topic, (publisher, _) in TOPICS.items():
            for bad in bad_ones(topic):
                row = OutboxRow(
                    id=0,
                    event_id=bad.name,
                    topic=topic,
                    key=bad.key,
                    headers=bad.headers,
                    value=bad.value,
                )
                async with clinic.databases[publisher].transaction() as tx:
                    offset = await event_log.append(tx, topic, [row])
                planted[bad.key or f"{topic}/0/{offset}"] = bad.is_held

        async def held() -> set[str]:
            found = [
                await rows(database, "SELECT key FROM held_key") for database in clinic.databases.values()
            ]
            return {row["key"] for keys in found for row in keys}

        async def all_are_held() -> bool:
            return {key for key, is_held in planted.items() if is_held} <= await held()

        await eventually(all_are_held, within=30)
        assert not await held() & {key for key, is_held in planted.items() if not is_held}
