"""Many stored referrals: real ones copied, row by row, into the clinic's own tables.

The real path makes the first thousand; copies of all their rows bring a clinic to 100,000 in minutes. In a
copy every id is another one (the time in the ids lies earlier), and so are the senders' numbers and the
patients' cards; what is taken lies four weeks earlier for each copy; offsets of event logs go on. Indexes,
constraints and bytes are as the real path leaves them, but the copies were not handled one by one, and their
timers are left out: what falls due for a real patient is another measurement. Rows that belong to no single
referral (counts, positions) stay as they are.
"""

import asyncio
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from bench.rest import tables
from bench.running import SERVICE_NAMES, RunningClinic

_UUID7 = re.compile(rb"([0-9a-f]{7})[0-9a-f]-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CARD, _NUMBER = (b"77700", b"777%02d"), (b"BN-000", b"BN-%03d")
_LEFT_OUT = {
    "alembic_version", "outbox", "timer", "relay_epoch", "group_position", "event_log_end", "resource",
    "occupancy", "held_key", "held_event", "meeting", "directory_entry",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Base:
    """The rows that are copied, as COPY's text by service and table, and what is known of them."""

    referrals: int
    prefixes: Sequence[bytes]
    text: Mapping[str, Mapping[str, bytes]]
    columns: Mapping[str, Mapping[str, Sequence[str]]]
    ends: Mapping[str, int]


async def read_base(clinic: RunningClinic, *, referrals: int) -> Base:
    """Read all rows of a clinic that is at rest and has so many referrals."""
    text: dict[str, dict[str, bytes]] = {}
    columns: dict[str, dict[str, Sequence[str]]] = {}
    ends: dict[str, int] = {}
    for service in SERVICE_NAMES:
        connection = await _connect(clinic, service)
        text[service], columns[service] = {}, {}
        for table in await tables(connection):
            named = await _columns(connection, table)
            rows = await _copied_out(connection, table, named)
            if table not in _LEFT_OUT and _UUID7.search(rows):
                columns[service][table], text[service][table] = named, rows
        for row in await connection.fetch("SELECT topic, next_offset FROM event_log_end"):
            ends[row["topic"]] = row["next_offset"]
        await connection.close()
    seen = {
        one for of_service in text.values() for rows in of_service.values() for one in _UUID7.findall(rows)
    }
    return Base(referrals=referrals, prefixes=sorted(seen), text=text, columns=columns, ends=ends)


async def copy(clinic: RunningClinic, base: Base, copies: range) -> None:
    """Write these copies (numbers from 1 on, each once) into the clinic, which stays at rest."""
    for service in SERVICE_NAMES:
        connection = await _connect(clinic, service)
        for topic, end in base.ends.items():
            await connection.execute(
                "UPDATE group_position SET next_offset = next_offset + $2 WHERE topic = $1",
                topic,
                end * len(copies),
            )
        await connection.close()
    await asyncio.sleep(1.0)  # a consumer that has nothing to do reads its position again within 250 ms
    await asyncio.gather(*(_copy_service(clinic, service, base, copies) for service in SERVICE_NAMES))


async def _copy_service(clinic: RunningClinic, service: str, base: Base, copies: range) -> None:
    connection = await _connect(clinic, service)
    ends = await _reserved(connection, base, len(copies))
    for place, number in enumerate(copies):
        for table, rows in base.text[service].items():
            copied = _renamed(rows, base, number)
            # Last of all: an offset can look like the beginning of a card.
            if table == "event_log":
                later = {topic: end + base.ends[topic] * place for topic, end in ends.items()}
                copied = _with_later_offsets(copied, later)
            await connection.copy_to_table(
                table,
                source=io.BytesIO(copied),
                columns=list(base.columns[service][table]),
                format="text",
            )
        if service == "scheduling":
            await _copy_occupancy(connection, base, number)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _reserved(connection: asyncpg.Connection, base: Base, copies: int) -> dict[str, int]:
    """Take the offsets of so many copies before anybody else appends, and give the first of each topic."""
    rows = await connection.fetch(
        "UPDATE event_log_end AS log SET next_offset = log.next_offset + of.records * $3"
        " FROM unnest($1::text[], $2::bigint[]) AS of (topic, records) WHERE log.topic = of.topic"
        " RETURNING log.topic, log.next_offset - of.records * $3 AS first",
        list(base.ends),
        list(base.ends.values()),
        copies,
    )
    return {row["topic"]: row["first"] for row in rows}


async def _copy_occupancy(connection: asyncpg.Connection, base: Base, number: int) -> None:
    """Copy what the first referrals have taken, so many times four weeks earlier."""
    renamed = "{}"
    for old, new in _names(base, number):
        renamed = f"replace({renamed}, '{old.decode()}', '{new.decode()}')"
    firsts = " OR ".join(f"o.appointment::text LIKE '{prefix.decode()}%'" for prefix in base.prefixes)
    patient = renamed.format("r.id")
    await connection.execute(
        f"INSERT INTO resource (id) SELECT DISTINCT {patient} FROM resource AS r"
        f" JOIN occupancy AS o ON o.resource = r.number WHERE r.id LIKE 'patient/%' AND ({firsts})"
    )
    await connection.execute(
        f"INSERT INTO occupancy (appointment, resource, during, live)"
        f" SELECT {renamed.format('o.appointment::text')}::uuid, n.number,"
        f" tstzrange(lower(o.during) - $1::interval, upper(o.during) - $1::interval, '[)'), o.live"
        f" FROM occupancy AS o JOIN resource AS r ON r.number = o.resource"
        f" JOIN resource AS n ON n.id = CASE WHEN r.id LIKE 'patient/%' THEN {patient} ELSE r.id END"
        f" WHERE {firsts}",
        timedelta(weeks=4 * number),
    )


def _names(base: Base, number: int) -> list[tuple[bytes, bytes]]:
    """Give old and new beginnings of the ids: a copy's ids lie earlier, each copy's elsewhere."""
    first, many = int(base.prefixes[0], 16), len(base.prefixes)
    return [
        (prefix, b"%07x" % (first - number * many + place - 1)) for place, prefix in enumerate(base.prefixes)
    ]


def _renamed(rows: bytes, base: Base, number: int) -> bytes:
    for old, new in _names(base, number):
        rows = rows.replace(old, new)
    return rows.replace(_CARD[0], _CARD[1] % number).replace(_NUMBER[0], _NUMBER[1] % number)


def _with_later_offsets(rows: bytes, later: Mapping[str, int]) -> bytes:
    lines = []
    for line in rows.splitlines(keepends=True):
        topic, offset, rest = line.split(b"\t", 2)
        lines.append(b"%s\t%d\t%s" % (topic, int(offset) + later[topic.decode()], rest))
    return b"".join(lines)


async def _columns(connection: asyncpg.Connection, table: str) -> Sequence[str]:
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1"
        " AND is_identity = 'NO' AND is_generated = 'NEVER' AND column_default IS DISTINCT FROM 'nextval'"
        " ORDER BY ordinal_position",
        table,
    )
    return [row["column_name"] for row in rows]


async def _copied_out(connection: asyncpg.Connection, table: str, columns: Sequence[str]) -> bytes:
    out = io.BytesIO()
    await connection.copy_from_table(table, output=out, columns=list(columns), format="text")
    return out.getvalue()


async def _connect(clinic: RunningClinic, service: str) -> asyncpg.Connection:
    connection = await clinic.connect(service)
    await connection.execute("SET bytea_output = 'escape'; SET session_replication_role = replica")
    return connection
