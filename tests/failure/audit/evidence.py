"""What the auditor looks at: the databases, what stands in the logs, and what the clients know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.db import Database
from shared.events.topics import FEED, TOPICS
from tests.failure.history import History
from tests.support.sql import sql

# A record that a test put into a topic by itself carries this header.
PLANTED = "planted"
PUBLISHERS = ("referral", "scheduling", "careteam", "notifications")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One record of a topic, in the order in which its partition has it."""

    event_id: str
    type: str
    subject: str
    version: int
    causation: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Published":
        """Read a record's headers."""
        return cls(
            event_id=headers["ce_id"],
            type=headers["ce_type"],
            subject=headers["ce_subject"],
            version=int(headers["ce_version"]),
            causation=headers.get("ce_causationid", ""),
        )


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything at one moment; `published` is by service, `lag` by `group of topic`.

    `may_repeat` says that the transport may keep a record twice (Kafka, after a kill); `planted` are the keys
    that are meant to be held.
    """

    databases: Mapping[str, Database]
    history: History
    published: Mapping[str, Sequence[Published]]
    lag: Mapping[str, int] = field(default_factory=dict)
    may_repeat: bool = False
    planted: frozenset[str] = frozenset()

    async def rows(self, service: str, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        """Run a SELECT in one service's database."""
        return await rows(self.databases[service], statement, **values)

    @property
    def repeated(self) -> int:
        """Count the records that stand more than once in their log: consumers must have absorbed them."""
        return sum(
            len(records) - len({record.event_id for record in records}) for records in self.published.values()
        )


async def rows(database: Database, statement: str, **values: Any) -> list[Mapping[str, Any]]:
    """Run a SELECT and give its rows."""
    async with database.transaction() as tx:
        return [row._asdict() for row in await sql(tx, statement, **values)]


async def published_on_postgres(databases: Mapping[str, Database]) -> dict[str, list[Published]]:
    """Read every topic's log in its publisher's database."""
    found = {}
    for service in PUBLISHERS:
        statement = "SELECT headers FROM event_log WHERE topic = :topic ORDER BY log_offset"
        records = await rows(databases[service], statement, topic=topic_of(service))
        headers = [record["headers"] for record in records]
        found[service] = [Published.of(one) for one in headers if PLANTED not in one]
    return found


Place = tuple[str, int]


async def positions(databases: Mapping[str, Database]) -> dict[str, dict[Place, int]]:
    """Read where every group stands in each partition, from its own database."""
    statement = "SELECT topic, log_partition, next_offset FROM group_position WHERE consumer_group = :group"
    return {
        group: {
            (row["topic"], row["log_partition"]): row["next_offset"]
            for row in await rows(database, statement, group=group)
        }
        for group, database in databases.items()
    }


async def lag_on_postgres(databases: Mapping[str, Database]) -> dict[str, int]:
    """Tell how far every group is behind the end of what it reads."""
    ends = "SELECT topic, next_offset FROM event_log_end"
    end_of = {row["topic"]: row["next_offset"] for one in databases.values() for row in await rows(one, ends)}
    return {
        f"{group} of {topic}": end_of.get(topic, 0) - position
        for group, found in (await positions(databases)).items()
        for (topic, _), position in found.items()
    }


async def set_back(databases: Mapping[str, Database]) -> int:
    """Set every group back to the first record of each log, and tell how many records that is."""
    back = 0
    for database in databases.values():
        async with database.transaction() as tx:
            back += int((await sql(tx, "SELECT sum(next_offset) FROM group_position")).scalar() or 0)
            await sql(tx, "UPDATE group_position SET next_offset = 0")
    return back


def topic_of(service: str) -> str:
    """Name the topic that a service publishes to."""
    return next(one.name for one in TOPICS.values() if one.publisher == service and one.name != FEED)
