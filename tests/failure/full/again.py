"""Reading whole topics again from their first record: no row of any business table may change."""

from collections.abc import Mapping

from shared.clock import monotonic
from shared.db import Database
from tests.failure.audit.evidence import rows
from tests.failure.full.run import Fault, Harm, Run
from tests.failure.healing import drain
from tests.failure.traffic import Traffic

# Where groups and leaders stand, which is meant to change.
_OF_MACHINERY = ("consumer_position", "group_position", "relay_epoch", "alembic_version")
_TABLES = (
    "SELECT table_name AS name FROM information_schema.tables"
    " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1"
)


def read_again(times: int) -> Fault:
    """Set every group back to the first record of every topic, so many times."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        await traffic.finish()
        place, begin, again = run.place, monotonic(), 0
        workers = [target for target in place.targets if "-worker-" in target]
        async with place.databases() as databases:
            await drain(place, databases)
            before = await hashes(databases)
            for _ in range(times):
                for target in workers:
                    await place.kill(target)
                again += await place.set_back(databases)
                for target in workers:
                    await place.start(target)
                await place.ready()
                await drain(place, databases)
            changed = sorted(name for name, text in (await hashes(databases)).items() if before[name] != text)
        if changed:
            run.history.complaints.append(f"I3: read again, these tables changed: {', '.join(changed)}")
        remark = f"{again:,} records were read again; {len(before)} tables have the hashes that they had"
        return Harm(injected=times, since=begin, remarks=[remark])

    return fault


async def hashes(databases: Mapping[str, Database]) -> dict[str, str]:
    """Hash every table of every service by all of its rows."""
    found = {}
    for service, database in databases.items():
        for table in await rows(database, _TABLES):
            if (name := table["name"]) not in _OF_MACHINERY:
                statement = (
                    f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) AS hash FROM "{name}" t'
                )
                found[f"{service}.{name}"] = str((await rows(database, statement))[0]["hash"])
    return found
