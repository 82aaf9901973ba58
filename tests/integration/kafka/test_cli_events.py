"""`lumbar events` where the events are on Kafka, by the command itself."""

import asyncio
from pathlib import Path
from subprocess import CompletedProcess

from tests.support.postgres import database_url
from tests.support.process import lumbar
from tests.support.transports import WORKING, Wire, drain


async def run(*arguments: str, **settings: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(lumbar, *arguments, **settings)


def _settings(wire: Wire, folder: Path) -> dict[str, str]:
    address = wire.transport.address  # type: ignore[attr-defined]
    return {
        "LUMBAR_KAFKA_BOOTSTRAP": address.bootstrap,
        "LUMBAR_KAFKA_PREFIX": address.prefix,
        "LUMBAR_DATA": str(folder),
        "LUMBAR_REFERRAL_DATABASE_URL": database_url(str(wire.publisher.engine.url.database)),
        "LUMBAR_SCHEDULING_DATABASE_URL": database_url(str(wire.consumer.engine.url.database)),
    }


async def test_the_last_events_are_shown_from_all_partitions_in_the_order_of_their_making(
    wire: Wire, tmp_path: Path
) -> None:
    published = [await wire.publish(f"p{number}") for number in range(8)]
    shown = await run("events", "tail", "--topic", "lumbar.referral", "-n", "5", **_settings(wire, tmp_path))

    lines = shown.stdout.splitlines()
    assert [line.split()[-1] for line in lines] == [event_id for (event_id,) in published[-5:]], shown.stderr
    assert "MessageHeader" not in shown.stdout


async def test_a_group_reads_again_while_it_runs(wire: Wire, tmp_path: Path) -> None:
    settings = _settings(wire, tmp_path)
    await wire.publish("p1", times=3)
    owner = wire.owner(WORKING)
    await drain(wire, owner, expected=3)
    async with wire.consumer.transaction() as tx:
        await tx.records("DELETE FROM inbox")

    asked = await run("events", "replay", "scheduling", "lumbar.referral", **settings)
    assert "reads lumbar.referral again from 0 on" in asked.stdout, asked.stderr

    await drain(wire, owner, expected=6)


async def test_a_broker_that_is_not_there_is_one_line_that_names_the_setting(
    wire: Wire, tmp_path: Path
) -> None:
    settings = _settings(wire, tmp_path) | {"LUMBAR_KAFKA_BOOTSTRAP": "127.0.0.1:9"}
    told = await run("events", "tail", "--topic", "lumbar.referral", **settings)
    assert told.returncode == 2
    assert (
        told.stderr == "lumbar: LUMBAR_KAFKA_BOOTSTRAP: 127.0.0.1:9 cannot be reached: Connection refused\n"
    )
